// What the pages of sources ask the server.
import { infiniteQueryOptions, queryOptions, type useQueryClient } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type Source = Schema<"SourceOut">;
export type SourceType = Schema<"SourceTypeOut">;

export const sourcesQuery = infiniteQueryOptions({
  queryKey: ["sources"],
  queryFn: ({ pageParam, signal }) =>
    ok(
      api.GET("/ingest/api/v1/source", {
        params: { query: { limit: 250, iterator: pageParam, order: "descending" } },
        signal,
      }),
    ),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
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
