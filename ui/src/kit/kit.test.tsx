import { Inbox } from "lucide-react";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/api";
import { show } from "@/test/page";
import {
  Button,
  Confirm,
  CopyButton,
  Empty,
  ErrorMessage,
  Field,
  Input,
  Loading,
  Progress,
  Select,
  StateBadge,
  Switch,
  Tabs,
  Textarea,
  Time,
} from ".";

const CONFLICT = new ApiError({
  type: "about:blank",
  title: "Conflict",
  status: 409,
  detail: "The task runs; cancel it first.",
  errors: [],
  error_id: null,
});

test("a field links its control to label, help and error", () => {
  const { getByLabelText } = show(
    <Field label="Timeout" help="In seconds." error="must be at least 1" required>
      <Input type="number" />
    </Field>,
  );
  const input = getByLabelText(/Timeout/);
  expect(input).toHaveAccessibleDescription("In seconds. must be at least 1");
  expect(input).toBeInvalid();
  expect(input).toBeRequired();
});

test("a confirmation stays with the reason when it fails, and goes when it is done", async () => {
  const onConfirm = vi.fn<() => Promise<void>>().mockRejectedValueOnce(CONFLICT).mockResolvedValueOnce();
  const { getByRole, findByRole, queryByRole, user } = show(
    <Confirm
      trigger={<Button>Delete</Button>}
      title="Delete it?"
      detail="It is gone then."
      action="Delete it"
      danger
      onConfirm={onConfirm}
    />,
  );
  await user.click(getByRole("button", { name: "Delete" }));
  expect(getByRole("dialog", { name: "Delete it?" })).toHaveAccessibleDescription("It is gone then.");
  await user.click(getByRole("button", { name: "Delete it" }));
  expect(await findByRole("alert")).toHaveTextContent("The task runs; cancel it first.");
  await user.click(getByRole("button", { name: "Delete it" }));
  await vi.waitFor(() => expect(queryByRole("dialog")).toBeNull());
  expect(onConfirm).toHaveBeenCalledTimes(2);
});

test("a failure says each place and its line, and offers another try", async () => {
  const onRetry = vi.fn();
  const problem = {
    ...CONFLICT.problem,
    errors: [
      { where: "slo", message: "unknown key", line: 4 },
      { where: "model", message: "missing", line: null },
    ],
  };
  const { getByRole, user } = show(<ErrorMessage error={new ApiError(problem)} onRetry={onRetry} />);
  expect(getByRole("alert")).toHaveTextContent("line 4: slo unknown key");
  await user.click(getByRole("button", { name: "Try again" }));
  expect(onRetry).toHaveBeenCalledOnce();
});

test("what is copied is on the clipboard", async () => {
  const { getByRole, user, findByText } = show(<CopyButton text="autotuner serve" />);
  await user.click(getByRole("button", { name: "Copy" }));
  expect(await findByText("Copied")).toBeInTheDocument();
  expect(await navigator.clipboard.readText()).toBe("autotuner serve");
});

test("progress is said in percent, and not where nobody knows it", () => {
  const { getByRole } = show(
    <>
      <Progress label="known" done={3} total={12} text="3 of 12" />
      <Progress label="unknown" done={null} />
    </>,
  );
  expect(getByRole("progressbar", { name: "known" })).toHaveAttribute("aria-valuenow", "25");
  expect(getByRole("progressbar", { name: "unknown" })).not.toHaveAttribute("aria-valuenow");
});

test("axe finds nothing in the kit", async () => {
  const { container } = show(
    <>
      <Field label="Name">
        <Input before={<Inbox />} after="s" />
      </Field>
      <Field label="Engine">
        <Select value="a" onChange={() => undefined} options={[{ value: "a", label: "vLLM" }]} />
      </Field>
      <Field label="On" inline>
        <Switch checked onChange={() => undefined} />
      </Field>
      <Field label="Note" error="too long">
        <Textarea />
      </Field>
      <Tabs
        label="Views"
        tabs={[
          { value: "a", label: "A", content: "a" },
          { value: "b", label: "B", count: 3, content: "b" },
        ]}
      />
      <Empty icon={<Inbox />} title="No tasks" action={<Button>New</Button>} />
      <StateBadge state="running" />
      <Loading />
      <Time at="2026-11-21T10:00:00Z" as="full" />
    </>,
  );
  await expect(container).toBeAccessible();
});
