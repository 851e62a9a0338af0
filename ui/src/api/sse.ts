/** A server-sent event. */
export type Frame = { event: string; data: string; id: string | null; retry: number | null };

/** Parser state: an event that is not complete yet. */
export type ParserState = {
  rest: string;
  event: string;
  data: string[];
  id: string | null;
  retry: number | null;
};

export const EMPTY: ParserState = { rest: "", event: "", data: [], id: null, retry: null };

/** Parses a chunk of a stream: completed events, and the state for the next chunk. Pure. */
export function parse(before: ParserState, chunk: string): { frames: Frame[]; after: ParserState } {
  let { event, data, id, retry } = before;
  const frames: Frame[] = [];
  // A lone \r at the end may be half of \r\n: it waits for what comes.
  const text = before.rest + chunk;
  const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
  const lines = whole.split(/\r\n|\n|\r/);
  const rest = (lines.pop() ?? "") + text.slice(whole.length);
  for (const line of lines) {
    if (line === "") {
      if (data.length > 0) frames.push({ event: event || "message", data: data.join("\n"), id, retry });
      [event, data, id, retry] = ["", [], null, null];
      continue;
    }
    const colon = line.indexOf(":");
    if (colon === 0) continue; // a comment: the service shows that it is still there
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    else if (name === "data") data = [...data, value];
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d+$/.test(value)) retry = Number(value);
  }
  return { frames, after: { rest, event, data, id, retry } };
}
