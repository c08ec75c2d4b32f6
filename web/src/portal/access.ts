// The portal's token: from the code of the link, or on reload by the cookie of the portal's own page.
import { api, ok, type Schema, token } from "@/lib/api";

export type PortalToken = Schema<"PortalTokenOut">;

/** True where the portal is a page of its own, not a frame of another site. */
export const ownPage = window.top === window;

/** Gets a token: trades the code behind "#" in, once, or renews by the cookie. Rejects with an ApiError. */
export async function enter(): Promise<PortalToken> {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  const granted = code
    ? await ok(api.POST("/api/v1/auth/one-time-token", { body: { oneTimeToken: code, remember: ownPage } }))
    : await ok(api.POST("/api/v1/auth/portal-token"));
  if (code) history.replaceState(history.state, "", location.pathname + location.search);
  token.set(granted.token);
  return granted;
}
