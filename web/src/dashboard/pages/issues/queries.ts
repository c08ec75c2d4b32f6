// What the pages of issues ask the server.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, ok, type Schema } from "@/lib/api";

export type Issue = Schema<"IssueOut">;

/** Issues that fit the search, the last seen first. They are looked at again by themselves. */
export const issuesQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["issues", q],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/api/v1/issue", { params: { query: { q: q || undefined, limit: 100, iterator: pageParam } }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  });

export const issueQuery = (issue: string) =>
  queryOptions({
    queryKey: ["issue", issue],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/issue/{issue}", { params: { path: { issue } }, signal })),
    placeholderData: undefined,
    refetchInterval: 10_000,
  });

export const issueFields = queryOptions({
  queryKey: ["search-fields", "issues"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/search/fields", { params: { query: { list: "issues" } }, signal })),
  staleTime: 60_000,
});
