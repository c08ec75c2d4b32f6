// New rows are announced, not put in: the reader decides when the list moves.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { environment, type Schema } from "@/lib/api";
import { baseURL } from "@/lib/base";
import { liveState } from "@/lib/live/state";
import { useStore } from "@/lib/store";
import { messagesQuery } from "./queries";

/** Follows what is new in the environment as long as somebody looks. */
export function useLive(onEvent: (event: Schema<"LiveEvent">) => void): void {
  const latest = useRef(onEvent);
  latest.current = onEvent;
  const env = useStore(environment);
  useEffect(() => {
    let source: EventSource | undefined;
    let last = "";
    const open = () => {
      const query = new URLSearchParams({ topics: "messages,attempts" });
      if (env) query.set("environment", env);
      if (last) query.set("last_event_id", last);
      source = new EventSource(new URL(`api/v1/live?${query}`, baseURL));
      source.onopen = () => liveState.set("live");
      source.onerror = () => liveState.set("reconnecting");
      source.onmessage = (event) => {
        last = event.lastEventId;
        latest.current(JSON.parse(event.data) as Schema<"LiveEvent">);
      };
    };
    const look = () => {
      if (document.visibilityState === "hidden") {
        source?.close();
        source = undefined;
        liveState.set("paused");
      } else if (!source) open();
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      source?.close();
      liveState.set("offline");
    };
  }, [env]);
}

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
    if (known.current.size === 0 ? came.length > 0 : [...touched].some((id) => known.current.has(id))) {
      waiting.current ??= setTimeout(() => {
        waiting.current = undefined;
        void query.refetch();
      }, 1000);
    } else if (came.length > 0) setFresh((old) => new Set([...old, ...came]));
  });
  return { query, rows, fresh: fresh.size, show };
}
