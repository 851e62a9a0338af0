import axe from "axe-core";

/** `await expect(container).toBeAccessible()`: axe finds nothing. Colours are judged in a real browser (e2e). */
export async function toBeAccessible(element: Element): Promise<{ pass: boolean; message: () => string }> {
  const { violations } = await axe.run(element, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  const said = violations.map(
    (one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).join("\n  ")}`,
  );
  return {
    pass: violations.length === 0,
    message: () => said.join("\n") || "axe finds nothing, and should.",
  };
}

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-unused-vars -- as the library has it
  interface Matchers<T = any> {
    toBeAccessible: () => Promise<void>;
  }
}
