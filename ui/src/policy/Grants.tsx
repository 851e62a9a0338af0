import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { Card, Empty, ErrorMessage, Loading, useNow } from "@/kit";
import { GrantItem } from "./GrantItem";
import { allGrants } from "./allGrants";

/** Grants of all conversations. */
export function Grants() {
  const grants = useQuery(allGrants());
  const now = useNow();
  if (grants.isError) return <ErrorMessage error={grants.error} onRetry={() => void grants.refetch()} />;
  if (!grants.data) return <Loading height="9rem" label="Grants" />;
  return (
    <Card title="Allowed for a conversation" padded={false}>
      {grants.data.length === 0 ? (
        <Empty icon={<KeyRound />} title="Nothing is allowed beyond the rules" className="py-8">
          “Allow for this session” at an approval lets later calls like it run; they are listed and revoked
          here.
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {grants.data.map((grant) => (
            <GrantItem key={grant.id} grant={grant} now={now} />
          ))}
        </ul>
      )}
    </Card>
  );
}
