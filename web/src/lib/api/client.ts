// The one way to the server. Types come from its own OpenAPI document.
import createClient, { type Middleware } from "openapi-fetch";
import { serverURL } from "../base";
import { createStore } from "../store";
import { ApiError, errorOf } from "./error";
import type { paths } from "./schema.gen";

/** The environment that calls are about; empty for the member's oldest. The dashboard sets it from the address. */
export const environment = createStore("");

/** The portal's token. It is kept in memory only; the dashboard has a cookie instead. */
export const token = createStore("");

/** True after the server said that the session is over, until somebody signed in again. */
export const sessionExpired = createStore(false);

const around: Middleware = {
  onRequest({ request }) {
    if (environment.get()) request.headers.set("Grapnel-Environment", environment.get());
    if (token.get()) request.headers.set("Authorization", `Bearer ${token.get()}`);
    return request;
  },
  async onResponse({ request, response }) {
    if (response.ok) return;
    const body: unknown = await response.json().catch(() => null);
    const signingIn = new URL(request.url).pathname.includes("/api/v1/session");
    if (response.status === 401 && !signingIn) sessionExpired.set(true);
    throw errorOf(response.status, body, response.headers.get("x-request-id") ?? "");
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new ApiError(
      0,
      "unreachable",
      "The server did not answer.",
      "Check the connection and that the server runs.",
    );
  },
};

/** Calls by method and path: api.GET("/api/v1/app", { params }). Wrap them in ok(). */
export const api = createClient<paths>({ baseUrl: serverURL, credentials: "same-origin" });
api.use(around);

/** The answer of a call; a failed one throws an ApiError. */
export async function ok<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
