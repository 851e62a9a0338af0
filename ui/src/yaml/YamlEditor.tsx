import { yaml } from "@codemirror/lang-yaml";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useEffectEvent, useRef } from "react";
import { difference } from "./difference";
import type { YamlError } from "./document";
import { editorExtensions } from "./editorExtensions";
import { editorTheme } from "./editorTheme";

type Props = {
  label: string;
  text: string;
  marks: readonly YamlError[];
  /** Line to move the cursor to; a new object moves it again. */
  line: { number: number } | null;
  onChange: (text: string) => void;
};

/** YAML editor with highlighting, folding, search and errors at their lines. Tab moves the focus on. */
export default function YamlEditor({ label, text, marks, line, onChange }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const changed = useEffectEvent(onChange);
  const begin = useEffectEvent(() => text);

  useEffect(() => {
    const parent = place.current;
    if (!parent) return;
    const editor = new EditorView({
      parent,
      state: EditorState.create({
        doc: begin(),
        extensions: [
          editorExtensions,
          yaml(),
          lintGutter(),
          editorTheme,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, [label]);

  useEffect(() => {
    const editor = view.current;
    const before = editor?.state.doc.toString();
    if (editor && before !== undefined && before !== text)
      editor.dispatch({ changes: difference(before, text) });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { doc } = editor.state;
    const found = marks.map(({ line, message }) => {
      const { from, to, text: content } = doc.line(Math.min(Math.max(1, line), doc.lines));
      const indent = content.length - content.trimStart().length;
      return { from: Math.min(from + indent, to), to, severity: "error" as const, message };
    });
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [marks]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !line) return;
    const { from } = editor.state.doc.line(Math.min(Math.max(1, line.number), editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    editor.focus();
  }, [line]);

  return (
    <div
      ref={place}
      className="h-full min-h-80 overflow-hidden rounded-lg border border-line focus-within:border-accent-text"
    />
  );
}
