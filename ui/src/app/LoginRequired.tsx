import { LockKeyhole } from "lucide-react";
import { Button, Code, Empty } from "@/kit";

/** Shown after a 401: the login is missing or has expired. */
export function LoginRequired() {
  return (
    <main className="mx-auto flex h-full max-w-xl flex-col justify-center px-4">
      <Empty
        icon={<LockKeyhole />}
        title="Autotuner is locked"
        as="h1"
        action={
          <Button variant="primary" onClick={() => window.location.reload()}>
            I have logged in
          </Button>
        }
        className="py-0"
      >
        <p className="mb-4">
          The service was started anew, or this login has ended. Open the login link it printed; it works
          once. If you cannot find it, start the service again:
        </p>
        <Code text="autotuner serve" className="text-left" />
      </Empty>
    </main>
  );
}
