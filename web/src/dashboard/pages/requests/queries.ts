// What the inspector asks the server.
import { infiniteQueryOptions, queryOptions, type useQueryClient } from "@tanstack/react-query";
import { ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";

export type RequestRow = Schema<"RequestRow">;
/** A request with its headers and the name of its source. */
export type Request = Schema<"RequestOut"> & Pick<RequestRow, "sourceName" | "sourceType">;

/** Pages of requests that fit the search, newest first, of all sources. */
export const requestsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["requests", q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/ingest/api/v1/request", {
          params: { query: { q: q || undefined, limit: 100, iterator: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
  });

export const requestFields = queryOptions({
  queryKey: ["search-fields", "requests"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/search/fields", { params: { query: { list: "requests" } }, signal })),
  staleTime: 60_000,
});

const path = (request: { sourceId: string; id: string }) => ({
  path: { source: request.sourceId, req: request.id },
});

/** One request: its address does not say which source it reached, so that is found first. */
export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ["request", id],
    queryFn: async ({ signal }): Promise<Request> => {
      const found = await ok(
        api.GET("/ingest/api/v1/request", { params: { query: { q: `id:${id}`, limit: 1 } }, signal }),
      );
      const row = found.data[0];
      if (!row) throw new ApiError(404, "not_found", t("req.notFound"));
      const one = await ok(api.GET("/ingest/api/v1/source/{source}/request/{req}", { params: path(row), signal }));
      return { ...one, sourceName: row.sourceName, sourceType: row.sourceType };
    },
    placeholderData: undefined,
  });

/** The body as it came. */
export const bodyQuery = (request: { sourceId: string; id: string } | undefined, wanted: boolean) =>
  queryOptions({
    queryKey: ["request", request?.id ?? "", "body"],
    queryFn: async ({ signal }) =>
      new Uint8Array(
        (await ok(
          api.GET("/ingest/api/v1/source/{source}/request/{req}/body", {
            params: path(request as { sourceId: string; id: string }),
            parseAs: "arrayBuffer",
            signal,
          }) as Promise<{ data?: unknown }>,
        )) as ArrayBuffer,
      ),
    enabled: wanted && request !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: undefined,
  });

/** Verifies it with the secrets and settings of today; a refused one that verifies becomes a message. */
export const verify = (request: Request) =>
  ok(
    api.POST("/ingest/api/v1/source/{source}/request/{req}/verify", {
      params: path(request),
      body: { process: request.state === "refused" },
    }),
  );

/** Sends it again. */
export const replay = (request: Request, body: Schema<"RequestReplayIn">) =>
  ok(api.POST("/ingest/api/v1/source/{source}/request/{req}/replay", { params: path(request), body }));

/** Changes its note; an empty one removes it. */
export const annotate = (request: Request, note: string) =>
  ok(
    api.PATCH("/ingest/api/v1/source/{source}/request/{req}", {
      params: path(request),
      body: { note: note.trim() || null },
    }),
  );

/** Looks again at everything that shows the request, after something was done with it. */
export function requestChanged(client: ReturnType<typeof useQueryClient>, id: string): Promise<unknown> {
  return Promise.all([
    client.invalidateQueries({ queryKey: ["request", id], exact: true }),
    client.invalidateQueries({ queryKey: ["requests"] }),
  ]);
}
