// New rows are announced, not put in: the reader decides when the list moves.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useLive } from "@/lib/live";
import { messagesQuery } from "./queries";

/** The rows of a search, and how many came since that are not shown. */
export function useMessages(q: string) {
  const client = useQueryClient();
  const query = useInfiniteQuery(messagesQuery(q));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const known = useRef(new Set<string>());
  known.current = new Set(rows.map((row) => row.id));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search has announced nothing yet
  useEffect(() => setFresh(new Set()), [q]);
  const show = () => {
    setFresh(new Set());
    client.setQueryData(
      messagesQuery(q).queryKey,
      (old) => old && { pages: old.pages.slice(0, 1), pageParams: old.pageParams.slice(0, 1) },
    );
    void query.refetch();
  };
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  useLive((event) => {
    const touched = new Set((event.attempts ?? []).map((attempt) => attempt.msgId));
    for (const id of touched) void client.invalidateQueries({ queryKey: ["message", id] });
    const came = (event.messages ?? []).map((message) => message.id).filter((id) => !known.current.has(id));
    // An empty list fills itself; a row in sight changes its marks, at most once a second.
    if (event.more || (known.current.size === 0 ? came.length > 0 : [...touched].some((id) => known.current.has(id)))) {
      waiting.current ??= setTimeout(() => {
        waiting.current = undefined;
        void query.refetch();
      }, 1000);
    } else if (came.length > 0) setFresh((old) => new Set([...old, ...came]));
  });
  return { query, rows, fresh: fresh.size, show };
}
