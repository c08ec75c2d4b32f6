// What the pages of endpoints ask the server.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";
import { endpointKey } from "@/parts/endpoint/queries";

export type EndpointRow = Schema<"EndpointRow">;

/** Endpoints of all applications and sources that fit the search, newest first. They are looked at again by themselves. */
export const endpointsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["endpoints", q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/api/v1/endpoint", {
          params: { query: { q: q || undefined, limit: 100, iterator: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: ({ state }) => {
      const pages = state.data?.pages ?? [];
      return pages.length > 1 ? false : pages[0]?.data.length === 0 ? 3000 : 10_000;
    },
  });

export const endpointFields = queryOptions({
  queryKey: ["search-fields", "endpoints"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/search/fields", { params: { query: { list: "endpoints" } }, signal })),
  staleTime: 60_000,
});

/** An endpoint of whatever application or source. */
export const anyEndpointQuery = (ep: string) =>
  queryOptions({
    queryKey: [...endpointKey(ep), "row"],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/endpoint/{ep}", { params: { path: { ep } }, signal })),
    placeholderData: undefined,
    refetchInterval: 10_000,
  });
