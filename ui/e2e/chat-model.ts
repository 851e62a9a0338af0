import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A tool call that the model makes. */
type Call = { tool: string; args: Record<string, unknown> };

/** One answer of the model. */
export type Reply = {
  text?: string;
  calls?: Call[];
  /** After so many words it waits until `release`. */
  holdAfter?: number;
  /** Words a second; all at once without. */
  rate?: number;
};

/** A provider of a model that says what a test wrote down, in words, as providers stream. */
export type Model = {
  url: string;
  /** What is said next, one for each time that the model is asked. */
  script: (...replies: Reply[]) => void;
  /** What was held goes on. */
  release: () => void;
  close: () => Promise<void>;
};

export async function startModel(): Promise<Model> {
  const replies: Reply[] = [];
  let calls = 0;
  let held: (() => void) | null = null;

  const stream = async (response: ServerResponse, reply: Reply) => {
    const say = (delta: object, finish: string | null = null) =>
      response.write(
        `data: ${JSON.stringify(chunk({ choices: [{ index: 0, delta, finish_reason: finish }] }))}\n\n`,
      );
    const words = (reply.text ?? "").match(/\s*\S+\s*$|\s*\S+/g) ?? [];
    const began = performance.now();
    for (const [place, word] of words.entries()) {
      if (place === reply.holdAfter) await new Promise<void>((resolve) => (held = resolve));
      if (reply.rate) await sleep(began + (place * 1000) / reply.rate - performance.now());
      if (response.destroyed) return;
      say({ role: "assistant", content: word });
    }
    for (const [index, call] of (reply.calls ?? []).entries()) {
      const made = { name: call.tool, arguments: JSON.stringify(call.args) };
      say({ tool_calls: [{ index, id: `call_${++calls}`, type: "function", function: made }] });
    }
    say({}, reply.calls ? "tool_calls" : "stop");
    const usage = { prompt_tokens: 1200, completion_tokens: words.length, total_tokens: 1200 + words.length };
    response.write(`data: ${JSON.stringify(chunk({ choices: [], usage }))}\n\n`);
    response.end("data: [DONE]\n\n");
  };

  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const reply = replies.shift();
      if (reply === undefined) {
        response.writeHead(400, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ error: { message: "The script is at its end." } }));
        return;
      }
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      void stream(response, reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    script: (...next) => void replies.splice(0, replies.length, ...next),
    release: () => {
      held?.();
      held = null;
    },
    close: () =>
      new Promise((resolve) => {
        held?.();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const chunk = (more: object) => ({
  id: "1",
  object: "chat.completion.chunk",
  created: 0,
  model: "scripted",
  ...more,
});
