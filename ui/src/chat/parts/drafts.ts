/** What was typed and not sent, by session: it outlives a reload of its tab. */

const key = (name: string) => `draft:${name}`;

export const drafts = {
  get(name: string): string {
    try {
      return sessionStorage.getItem(key(name)) ?? "";
    } catch {
      return ""; // the browser keeps nothing for this page
    }
  },
  set(name: string, text: string): void {
    try {
      if (text === "") sessionStorage.removeItem(key(name));
      else sessionStorage.setItem(key(name), text);
    } catch {
      return;
    }
  },
};
