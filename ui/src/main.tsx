import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/App";
import { makeBackgroundInert } from "@/app/inertBackground";
import "@/app/styles.css";

const root = document.getElementById("root");
if (root) {
  makeBackgroundInert();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
