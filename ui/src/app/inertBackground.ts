const HIDDEN_ATTRIBUTE = "data-aria-hidden";

/**
 * Makes the page behind an open dialog or menu inert for keyboard and pointer. The UI library hides it from screen
 * readers only.
 */
export function makeBackgroundInert(): () => void {
  const observer = new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target instanceof HTMLElement) target.inert = target.hasAttribute(HIDDEN_ATTRIBUTE);
    }
  });
  observer.observe(document.documentElement, {
    subtree: true,
    attributes: true,
    attributeFilter: [HIDDEN_ATTRIBUTE],
  });
  return () => observer.disconnect();
}
