import { FileDown } from "lucide-react";
import { type DragEvent, type ReactNode, useRef, useState } from "react";

type Props = { what: string; onFiles: (files: File[]) => void; className?: string; children: ReactNode };

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");

/** Accepts files dropped anywhere on it. */
export function DropArea({ what, onFiles, className = "", children }: Props) {
  const [over, setOver] = useState(false);
  // Children fire these events as well: count enter and leave.
  const depth = useRef(0);
  const move = (by: number) => (event: DragEvent) => {
    if (!hasFiles(event)) return;
    depth.current = Math.max(0, depth.current + by);
    setOver(depth.current > 0);
  };
  return (
    <div
      className={`relative ${className}`}
      onDragEnter={move(1)}
      onDragLeave={move(-1)}
      onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        depth.current = 0;
        setOver(false);
        onFiles([...event.dataTransfer.files]);
      }}
    >
      {children}
      {over && (
        <div className="pointer-events-none absolute inset-2 z-40 flex items-center justify-center gap-2 rounded-xl border-2 border-dashed border-accent bg-accent-soft/90 text-base font-medium text-accent-text">
          <FileDown className="size-5" aria-hidden="true" />
          {what}
        </div>
      )}
    </div>
  );
}
