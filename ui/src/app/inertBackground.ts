const HIDDEN_ATTRIBUTE = "data-aria-hidden";

/**
 * What lies behind a dialog or a menu is hidden from readers by the kit's library; this keeps the keyboard and the
 * pointer out of it as well.
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
