// What the pages of sources ask the server.
import { infiniteQueryOptions, queryOptions, type useQueryClient } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type Source = Schema<"SourceOut">;
/** A source with what reached it last. */
export type SourceRow = Schema<"SourceRow">;
export type SourceType = Schema<"SourceTypeOut">;

/** Sources that fit the search, newest first. They are looked at again by themselves. */
export const sourcesQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["sources", q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/ingest/api/v1/source", {
          params: { query: { q, limit: 100, iterator: pageParam, order: "descending" } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 5000),
  });

export const sourceFields = queryOptions({
  queryKey: ["search-fields", "sources"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/search/fields", { params: { query: { list: "sources" } }, signal })),
  staleTime: 60_000,
});

export const sourceQuery = (source: string) =>
  queryOptions({
    queryKey: ["source", source],
    queryFn: ({ signal }) => ok(api.GET("/ingest/api/v1/source/{source}", { params: { path: { source } }, signal })),
    placeholderData: undefined,
  });

/** Kinds of senders that can be verified. They change with the server's version only. */
export const sourceTypesQuery = queryOptions({
  queryKey: ["source-types"],
  queryFn: ({ signal }) => ok(api.GET("/ingest/api/v1/source-type", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
  select: (list) => list.data,
});

/** The newest requests that reached a source. */
export const latestQuery = (source: string) =>
  queryOptions({
    queryKey: ["source", source, "latest"],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/ingest/api/v1/source/{source}/log", {
          params: { path: { source }, query: { limit: 10 } },
          signal,
        }),
      ),
    refetchInterval: 5000,
    placeholderData: undefined,
  });

/** The newest requests that a source refused, with what the diagnosis found. */
export const refusedQuery = (source: string) =>
  infiniteQueryOptions({
    queryKey: ["source", source, "refused"],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/ingest/api/v1/source/{source}/request", {
          params: { path: { source }, query: { state: "refused", limit: 50, iterator: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 5000),
    placeholderData: undefined,
  });

export const destinationsQuery = (source: string) =>
  queryOptions({
    queryKey: ["source", source, "endpoints"],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/ingest/api/v1/source/{source}/endpoint", {
          params: { path: { source }, query: { limit: 250 } },
          signal,
        }),
      ),
    placeholderData: undefined,
  });

/** Looks again at everything that shows the source, after it was changed. */
export function sourceChanged(client: ReturnType<typeof useQueryClient>, source: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: ["source", source] }),
    client.invalidateQueries({ queryKey: ["sources"] }),
  ]);
}
