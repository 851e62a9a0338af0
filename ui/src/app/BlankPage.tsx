/** Before the first page has come: its ground, empty. It is gone before anything else could be read. */
export function BlankPage() {
  return (
    <div role="status" className="h-full bg-bg">
      <span className="sr-only">Loading …</span>
    </div>
  );
}
