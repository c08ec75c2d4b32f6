// The portal's token: from the code of the link, on reload by the cookie of the portal's own page, in a frame by asking the page around it.
import { ApiError, api, ok, queryClient, type Schema, sessionExpired, token } from "@/lib/api";
import { t } from "@/lib/i18n";
import { askHost, ownPage } from "./host";

export type PortalToken = Schema<"PortalTokenOut">;

/** So long before its end a token is renewed, in milliseconds. */
const early = 60_000;

/** The code behind "#", which leaves the address at once. */
function takeCode(): string {
  const code = new URLSearchParams(location.hash.slice(1)).get("code") ?? "";
  if (code) history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}

const trade = (code: string) =>
  ok(api.POST("/api/v1/auth/one-time-token", { body: { oneTimeToken: code, remember: ownPage } }));

/** A token without a link: by the cookie, or by the page around. Rejects with an ApiError where neither helps. */
async function again(): Promise<PortalToken> {
  if (ownPage) return ok(api.POST("/api/v1/auth/portal-token"));
  const code = await askHost();
  if (!code) throw new ApiError(401, "authentication", t("portal.ended"), t("portal.ended.hint"));
  return trade(code);
}

/** Gets a token and keeps it good as long as the page is open. Rejects with an ApiError. */
export async function enter(): Promise<PortalToken> {
  const code = takeCode();
  return keep(await (code ? trade(code) : again()));
}

let timer: ReturnType<typeof setTimeout> | undefined;

function keep(granted: PortalToken): PortalToken {
  token.set(granted.token);
  clearTimeout(timer);
  const left = Date.parse(granted.expiresAt) - Date.now();
  timer = setTimeout(renew, Math.min(Math.max(left - early, 1000), 2 ** 31 - 1));
  return granted;
}

/** After a renewal that was of no use, so long passes before the next is tried without being asked for, in milliseconds. */
const pause = 30_000;
let tried = Number.NEGATIVE_INFINITY;

// A token can end before its time: with its link, or while the computer slept.
sessionExpired.subscribe(() => {
  if (sessionExpired.get() && performance.now() - tried > pause) void renew();
});

/** Gets the next token. What the reader types meanwhile is not touched. */
export async function renew(): Promise<void> {
  clearTimeout(timer);
  tried = performance.now();
  try {
    keep(await again());
    sessionExpired.set(false);
    // What was refused meanwhile is asked again; who the reader is stays as it was.
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "portal" });
  } catch {
    sessionExpired.set(true);
  }
}
