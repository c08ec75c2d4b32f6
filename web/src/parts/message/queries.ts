// What is asked about one message and its attempts, by members and by customers in the portal.
import { infiniteQueryOptions, queryOptions, useQueryClient } from "@tanstack/react-query";
import { ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { createStore } from "@/lib/store";
import type { Attempt } from "./attempts";

/** Id of the one application that the reader may see; empty in the dashboard, where messages of all of them are found. */
export const onlyApplication = createStore("");

const bytes = async (call: Promise<{ data?: unknown }>) => new Uint8Array((await ok(call)) as ArrayBuffer);

/** Pages of messages that fit the search, newest first. */
export const messagesQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["messages", q],
    queryFn: ({ pageParam, signal }) => rowsOf({ q: q || undefined, limit: 100, iterator: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
  });

function rowsOf(search: { q?: string; limit: number; iterator?: string }, signal: AbortSignal) {
  const query = { ...search, with_content: false };
  const app = onlyApplication.get();
  return ok(
    app === ""
      ? api.GET("/api/v1/message", { params: { query }, signal })
      : api.GET("/api/v1/app/{app}/message", { params: { path: { app }, query }, signal }),
  );
}

export const messageQuery = (msg: string) =>
  queryOptions({
    queryKey: ["message", msg],
    queryFn: async ({ signal }) => {
      if (onlyApplication.get() === "")
        return ok(
          api.GET("/api/v1/message/{msg}", { params: { path: { msg }, query: { with_content: false } }, signal }),
        );
      const row = (await rowsOf({ q: `id:${msg}`, limit: 1 }, signal)).data[0];
      if (!row) throw new ApiError(404, "not_found", t("msg.notFound"));
      return row;
    },
    placeholderData: undefined,
  });

/** Why each endpoint got a message or did not. */
export const explainQuery = (app: string, msg: string) =>
  queryOptions({
    queryKey: ["message", msg, "explain"],
    queryFn: ({ signal }) =>
      ok(api.GET("/api/v1/app/{app}/msg/{msg}/explain", { params: { path: { app, msg } }, signal })),
    enabled: app !== "",
    placeholderData: undefined,
  });

/** Attempts are read to this many; a message with more shows its newest. */
const most = 1000;

/** The attempts of a message, newest first. */
export const attemptsQuery = (app: string, msg: string) =>
  queryOptions({
    queryKey: ["message", msg, "attempts"],
    queryFn: async ({ signal }) => {
      const all: Attempt[] = [];
      let iterator: string | undefined;
      for (;;) {
        const query = { limit: 250, iterator, with_content: true };
        const page = await ok(
          api.GET("/api/v1/app/{app}/attempt/msg/{msg}", { params: { path: { app, msg }, query }, signal }),
        );
        all.push(...page.data);
        iterator = page.iterator ?? undefined;
        if (page.done || iterator === undefined || all.length >= most) return all;
      }
    },
    enabled: app !== "",
    placeholderData: undefined,
  });

/** The payload of a message as it is sent. */
export const bodyQuery = (app: string, msg: string, wanted: boolean) =>
  queryOptions({
    queryKey: ["message", msg, "body"],
    queryFn: ({ signal }) =>
      bytes(
        api.GET("/api/v1/app/{app}/msg/{msg}/body", { params: { path: { app, msg } }, parseAs: "arrayBuffer", signal }),
      ),
    enabled: wanted && app !== "",
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: undefined,
  });

export const headersQuery = (app: string, msg: string, attempt: string) =>
  queryOptions({
    queryKey: ["attempt", attempt, "headers"],
    queryFn: ({ signal }) =>
      ok(
        api.GET("/api/v1/app/{app}/msg/{msg}/attempt/{attempt}/headers", {
          params: { path: { app, msg, attempt } },
          signal,
        }),
      ),
    enabled: app !== "" && attempt !== "",
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: undefined,
  });

export const responseQuery = (app: string, msg: string, attempt: string, wanted: boolean) =>
  queryOptions({
    queryKey: ["attempt", attempt, "response"],
    queryFn: ({ signal }) =>
      bytes(
        api.GET("/api/v1/app/{app}/msg/{msg}/attempt/{attempt}/response", {
          params: { path: { app, msg, attempt } },
          parseAs: "arrayBuffer",
          signal,
        }),
      ),
    enabled: wanted && app !== "" && attempt !== "",
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: undefined,
  });

/** Sends a message again to endpoints, and looks again at what is shown of it. */
export function useResend(app: string, msg: string) {
  const client = useQueryClient();
  return async (endpoints: readonly string[]) => {
    try {
      for (const ep of endpoints)
        await ok(api.POST("/api/v1/app/{app}/msg/{msg}/endpoint/{ep}/resend", { params: { path: { app, msg, ep } } }));
    } finally {
      void client.invalidateQueries({ queryKey: ["message", msg] });
    }
  };
}
