/** Fallback while the code of the first page loads: an empty background. */
export function BlankPage() {
  return (
    <div role="status" className="h-full bg-bg">
      <span className="sr-only">Loading …</span>
    </div>
  );
}
