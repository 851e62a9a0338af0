import { Button } from "@/kit";

type Props = { label: string; on: boolean; onChange: (on: boolean) => void };

/** Switch between linear and logarithmic scale. */
export function ScaleSwitch({ label, on, onChange }: Props) {
  return (
    <Button
      size="sm"
      variant="quiet"
      aria-label={label}
      aria-pressed={on}
      onClick={() => onChange(!on)}
      className={on ? "text-accent-text" : ""}
    >
      log
    </Button>
  );
}
