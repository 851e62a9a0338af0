import { memo } from "react";
import { Call } from "../calls/Call";
import type { Entry } from "../thread/model";
import { answer, asked } from "../thread/selectors";
import { AssistantText } from "./AssistantText";
import { Notice } from "./Notice";
import { TurnEnd } from "./TurnEnd";
import { UserMessage } from "./UserMessage";

type Props = { entry: Entry };

/** An entry of the thread. Memoized. */
export const Row = memo(function Row({ entry }: Props) {
  switch (entry.kind) {
    case "user":
      return <UserMessage entry={entry} />;
    case "text":
      return <AssistantText entry={entry} />;
    case "call":
      return <Call entry={entry} />;
    case "notice":
      return <Notice entry={entry} />;
    case "end":
      return null;
  }
});

/** The end of a turn, with the turn's answer and question. */
export function EndRow({ entries, place }: { entries: readonly Entry[]; place: number }) {
  const entry = entries[place];
  if (entry?.kind !== "end") return null;
  const last = place === entries.length - 1;
  return <TurnEnd entry={entry} said={answer(entries, place)} asked={last ? asked(entries, place) : null} />;
}
