import { Loading, Page } from "@/kit";

export default function PolicyPage() {
  return (
    <Page title="Policy">
      <Loading />
    </Page>
  );
}
