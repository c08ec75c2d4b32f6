// New rows are announced, not put in: the reader decides when the list moves.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLive } from "@/lib/live";
import { requestsQuery } from "./queries";

/** The rows of a search, and how many came since that are not shown. */
export function useRequests(q: string) {
  const client = useQueryClient();
  const query = useInfiniteQuery(requestsQuery(q));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const known = useRef(new Set<string>());
  known.current = new Set(rows.map((row) => row.id));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search has announced nothing yet
  useEffect(() => setFresh(new Set()), [q]);
  const show = () => {
    setFresh(new Set());
    client.setQueryData(
      requestsQuery(q).queryKey,
      (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) },
    );
    void query.refetch();
  };
  useLive((event) => {
    const came = (event.requests ?? []).map(({ id }) => id).filter((id) => !known.current.has(id));
    // An empty list fills itself.
    if (event.more || (known.current.size === 0 && came.length > 0)) void query.refetch();
    else if (came.length > 0) setFresh((old) => new Set([...old, ...came]));
  });
  return { query, rows, fresh: fresh.size, show };
}
