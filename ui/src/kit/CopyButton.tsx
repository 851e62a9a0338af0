import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./Button";
import { IconButton } from "./IconButton";
import { toast } from "./toasts";

type Props = {
  /** What is copied, or how it is got. */
  text: string | (() => string | Promise<string>);
  /** Its name; on the button where `show` is set. */
  label?: string;
  show?: boolean;
  size?: "sm" | "md";
  className?: string;
};

const DONE_MS = 1500;

export function CopyButton({ text, label = "Copy", show = false, size = "sm", className }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), DONE_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
      setCopied(true);
    } catch {
      toast("The browser did not let this be copied; select the text and copy it by hand.", {
        intent: "bad",
      });
    }
  };
  const icon = copied ? <Check className="size-3.5 text-ok" /> : <Copy className="size-3.5" />;
  const said = (
    <span role="status" className="sr-only">
      {copied && "Copied"}
    </span>
  );
  return (
    <>
      {show ? (
        <Button size={size} icon={icon} onClick={copy} className={className}>
          {label}
        </Button>
      ) : (
        <IconButton size={size} label={label} icon={icon} onClick={copy} className={className} />
      )}
      {said}
    </>
  );
}
