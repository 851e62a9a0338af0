// A conversation with the service as a published AG-UI client has it; what the client made of it goes out as JSON.
//
// node agui.mjs PACKAGE '{"url": …, "session": …, "headers": …, "scenario": …, …}'

const [name, given] = process.argv.slice(2);
const { HttpAgent, buildResumeArray } = await import(name);
const { url, session, headers, scenario, text, answers, cutAfter } = JSON.parse(given);

const version = name === "ag-ui-client-0" ? "0" : "1.0";
const agent = (more = {}) => new HttpAgent({ url: `${url}/runs`, threadId: session, headers, ...more });

/** One run, to its end: every event that came through the client, and what it refused. */
async function run(from, parameters = {}, subscriber = {}) {
  const events = [];
  let failure = null;
  const onEvent = ({ event }) => void events.push(event);
  const onRunFailed = ({ error }) => void (failure = String(error));
  await from.runAgent(parameters, { ...subscriber, onEvent, onRunFailed }).catch((error) => (failure ??= String(error)));
  return { events, failure, messages: from.messages, interrupts: from.pendingInterrupts };
}

/** The same run from where it was cut: the connection is dropped after so many events, as often as it takes. */
function dropping(after) {
  return async (address, init) => {
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    let connection = await fetch(address, init);
    if (!connection.ok) return connection;
    const stream = new ReadableStream({
      async start(controller) {
        for (let last = null; connection.status === 200; ) {
          const reader = connection.body.getReader();
          let rest = "";
          let seen = 0;
          for (let part; seen < after && !(part = await reader.read()).done; ) {
            const events = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
            rest = events.pop();
            for (const event of events.slice(0, after - seen)) {
              controller.enqueue(encoder.encode(`${event}\n\n`));
              last = /^id: (.*)$/m.exec(event)?.[1] ?? last;
              seen += 1;
            }
          }
          await reader.cancel();
          const [id] = last.split(":");
          connection = await fetch(`${url}/runs/${id}/events?echo=false&protocol_version=${version}`, {
            headers: { ...headers, "Last-Event-ID": last },
          });
        }
        controller.close();
      },
    });
    return new Response(stream, { headers: connection.headers });
  };
}

class Reader extends HttpAgent {
  requestInit() {
    return { method: "GET", headers: this.headers, signal: this.abortController.signal };
  }
}

const say = (from) => from.addMessage({ id: crypto.randomUUID(), role: "user", content: text });

const scenarios = {
  async talk() {
    const talking = agent();
    say(talking);
    return [await run(talking)];
  },
  async decide() {
    const talking = agent();
    say(talking);
    const asked = await run(talking);
    const responses = Object.fromEntries(talking.pendingInterrupts.map((one, n) => [one.id, answers[n % answers.length]]));
    const first = structuredClone(asked);
    return [first, await run(talking, { resume: buildResumeArray(talking.pendingInterrupts, responses) })];
  },
  async cancel() {
    const talking = agent();
    say(talking);
    let cancelled;
    const onTextMessageContentEvent = () => {
      cancelled ??= fetch(`${url}/sessions/${session}/cancel`, { method: "POST", headers });
    };
    const told = await run(talking, {}, { onTextMessageContentEvent });
    return [told, (await cancelled)?.status];
  },
  async reconnect() {
    const talking = agent({ fetch: dropping(cutAfter) });
    say(talking);
    return [await run(talking)];
  },
  async leave() {
    const talking = agent();
    say(talking);
    return [await run(talking, {}, { onTextMessageContentEvent: () => talking.abortRun() })];
  },
  async read() {
    const address = `${url}/sessions/${session}/events?follow=false&protocol_version=${version}`;
    return [await run(new Reader({ url: address, threadId: session, headers }))];
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
