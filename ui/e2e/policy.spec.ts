import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "./fixtures";
import { say } from "./seed";

test("what waits for a person is listed, decided in its conversation, granted, revoked, and written down", async ({
  page,
  service,
  server,
}) => {
  await writeFile(
    join(server.home, "policy.yaml"),
    "deny:\n- {tool: delete_task, reason: Results stay}\nallow:\n- {tool: cancel_task, args: {task: 'demo*'}}\n",
  );
  await page.goto("/policy");
  await expect(page.getByRole("listitem").filter({ hasText: /denies\s*delete_task/ })).toBeVisible();
  await expect(page.getByText("Results stay")).toBeVisible();
  await expect(page.getByText("where task is demo*")).toBeVisible();
  await expect(page.getByText(join(server.home, "policy.yaml"))).toBeVisible();
  const session = await say(service, "delete preset our-chat");
  await page.reload();
  const waiting = page.getByRole("listitem").filter({ hasText: "delete_preset" });
  await expect(waiting).toContainText("name: our-chat");
  await expect(waiting.getByRole("link", { name: "Decide in the conversation" })).toHaveAttribute(
    "href",
    `/chat/${session}`,
  );
  const open = (await (await service.get("/api/agent/approvals?state=open")).json()) as {
    items: { id: string }[];
  };
  await service.post(`/api/agent/approvals/${open.items[0]?.id}/decision`, {
    data: { kind: "approve", for_session: true, pattern: { name: "our-*" } },
  });
  await page.reload();
  await expect(page.getByText("Nothing waits")).toBeVisible();
  const grant = page.getByRole("listitem").filter({ hasText: "where name is our-*" });
  await expect(grant).toContainText("holds");
  await grant.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(grant).toContainText("revoked");
  await expect(grant.getByRole("button", { name: "Revoke" })).toHaveCount(0);

  await page.goto("/audit");
  const rows = page.getByRole("table", { name: "Audit log" }).locator("tr[data-row]");
  await expect(rows.first()).toContainText("revoked");
  await page.getByLabel("What", { exact: true }).selectOption("granted");
  await page.getByLabel("Tool", { exact: true }).selectOption("delete_preset");
  await expect(rows).toHaveCount(1);
  await expect(page).toHaveURL(/action=granted/);
  await rows.first().click();
  await expect(page.getByRole("dialog")).toContainText("our-*");
  await page.getByRole("button", { name: "All of this conversation" }).click();
  await expect(rows.last()).toContainText("proposed");
  await page.getByRole("searchbox").fill("nothing is like this");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(rows.first()).toBeVisible();
  await rm(join(server.home, "policy.yaml"));
});

test("a policy that cannot be used says why", async ({ page, server }) => {
  await writeFile(join(server.home, "policy.yaml"), "deny:\n- {tool: delete_taks}\n");
  await page.goto("/policy");
  await expect(page.getByRole("alert")).toContainText("delete_taks");
  await rm(join(server.home, "policy.yaml"));
  await page.reload();
  await expect(page.getByText("No rules are written")).toBeVisible();
});
