// What is asked about one message and its attempts, by members and by customers in the portal.
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, ok } from "@/lib/api";
import type { Attempt } from "./attempts";

const bytes = async (call: Promise<{ data?: unknown }>) => new Uint8Array((await ok(call)) as ArrayBuffer);

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
