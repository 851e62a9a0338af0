import { describe, expect, test } from "vitest";
import { EMPTY, parse, type Frame } from "./sse";

const STREAM =
  ': ping\n\nid: 1\nevent: started\ndata: {"a":1}\n\ndata: two\ndata: lines\r\n\r\nid: 3\nretry: 250\ndata:tight\r\revent: dropped\n\n';
const FRAMES: Frame[] = [
  { event: "started", data: '{"a":1}', id: "1", retry: null },
  { event: "message", data: "two\nlines", id: null, retry: null },
  { event: "message", data: "tight", id: "3", retry: 250 },
];

describe("a stream of events", () => {
  test("is read whole", () => expect(parse(EMPTY, STREAM).frames).toEqual(FRAMES));

  test.each([1, 2, 3, 7, 16])("is the same in pieces of %s", (size) => {
    let state = EMPTY;
    const frames: Frame[] = [];
    for (let at = 0; at < STREAM.length; at += size) {
      const step = parse(state, STREAM.slice(at, at + size));
      state = step.after;
      frames.push(...step.frames);
    }
    expect(frames).toEqual(FRAMES);
  });

  test("an event that was not finished does not count", () => {
    expect(parse(EMPTY, "data: half").frames).toEqual([]);
    expect(parse(parse(EMPTY, "data: half").after, "\n\n").frames).toEqual([
      { event: "message", data: "half", id: null, retry: null },
    ]);
  });
});
