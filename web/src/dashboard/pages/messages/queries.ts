// What the pages of messages ask the server.
import { queryOptions } from "@tanstack/react-query";
import { api, ok } from "@/lib/api";

/** How many messages there are without a search, up to a bound. */
export const messageCount = queryOptions({
  queryKey: ["messages", "count"],
  queryFn: ({ signal }) => ok(api.GET("/api/v1/message/count", { params: { query: {} }, signal })),
});

/** What a list can be searched by. */
export const fieldsQuery = (list: "messages") =>
  queryOptions({
    queryKey: ["search-fields", list],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/search/fields", { params: { query: { list } }, signal })),
    staleTime: 60_000,
  });

/** Applications for choosing one; q finds by name, uid or id. */
export const applicationChoices = (q: string) =>
  queryOptions({
    queryKey: ["applications", "choices", q],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/app", { params: { query: { q, limit: 50 } }, signal })),
  });
