import { screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { connection } from "@/api";
import { CATALOG, offering } from "@/test/catalog";
import { show } from "@/test/page";
import { AdvancedSection } from "./AdvancedSection";
import { BasicsSection } from "./BasicsSection";
import { type Form, FormContext } from "./context";
import { SearchSection } from "./SearchSection";

afterEach(() => {
  vi.unstubAllGlobals();
  connection.set("online");
});

const formOf = (data: Form["data"] = {}): Form => ({
  data,
  set: vi.fn(),
  leave: vi.fn(),
  problem: () => undefined,
});
const sections = (form: Form) =>
  show(
    <FormContext value={form}>
      <BasicsSection engine="" />
      <SearchSection />
      <AdvancedSection />
    </FormContext>,
  );

test("a strategy and a mode that were added to the tables can be chosen by their titles", async () => {
  offering(CATALOG);
  const form = formOf({ optimization: { strategy: "tabu" } });
  const { user } = sections(form);
  const strategy = await screen.findByRole("combobox", { name: "Strategy" });
  expect(within(strategy).getByRole("option", { name: "Tabu search", selected: true })).toBeInTheDocument();
  expect(strategy).toHaveAccessibleDescription("Steps away from what was tried");
  await user.selectOptions(screen.getByRole("combobox", { name: "Where it runs" }), "Slurm");
  expect(form.set).toHaveBeenLastCalledWith(["deployment_mode"], "slurm");
});

test("where the catalog fails, what would be a choice is text", async () => {
  offering(undefined);
  const form = formOf({ optimization: { strategy: "tabu" } });
  const { user } = sections(form);
  await vi.waitFor(() => expect(connection.get()).toBe("lost"));
  expect(screen.getByRole("textbox", { name: "Strategy" })).toHaveValue("tabu");
  expect(screen.getByRole("textbox", { name: "Engine" })).toHaveValue("");
  await user.type(screen.getByRole("textbox", { name: "Where it runs" }), "x");
  expect(form.set).toHaveBeenLastCalledWith(["deployment_mode"], "x");
});
