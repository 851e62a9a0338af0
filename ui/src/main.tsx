import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { keepBackgroundInert } from "./app/inert";
import "./app/styles.css";

const root = document.getElementById("root");
if (root) {
  keepBackgroundInert();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
