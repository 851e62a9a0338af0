import { useParams } from "react-router";
import { ButtonLink, ErrorMessage, Loading, Page } from "@/kit";
import { ResultView } from "./ResultView";
import { useResult } from "./useResult";

export default function ResultPage() {
  const { id = "" } = useParams();
  const result = useResult(id);
  if (result.data) return <ResultView key={result.data.task_id} result={result.data} />;
  return (
    <Page title="Result">
      {result.isError ? (
        <ErrorMessage
          error={result.error}
          onRetry={() => void result.refetch()}
          action={<ButtonLink to="/tasks">All tasks</ButtonLink>}
        />
      ) : (
        <div className="space-y-4">
          <Loading label="The result" height="13rem" />
          <Loading label="Charts" height="26rem" />
          <Loading label="Experiments" height="20rem" />
        </div>
      )}
    </Page>
  );
}
