import { Loading, Page } from "@/kit";

export default function AuditPage() {
  return (
    <Page title="Audit">
      <Loading />
    </Page>
  );
}
