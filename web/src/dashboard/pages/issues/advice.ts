// What to do about a cause of failures: the classes of attempts, docs/states.md.
import type { Key } from "@/lib/i18n";

const byCause = {
  dns: "issue.advice.dns",
  connect: "issue.advice.network",
  tls: "issue.advice.tls",
  timeout: "issue.advice.timeout",
  protocol: "issue.advice.protocol",
  redirect: "issue.advice.redirect",
  policy: "issue.advice.policy",
  status_4xx: "issue.advice.refused",
  status_5xx: "issue.advice.server",
  status_429: "issue.advice.rate",
  status_410: "issue.advice.gone",
  body: "issue.advice.network",
} as const satisfies Record<string, Key>;

const byStatus = {
  401: "issue.advice.secret",
  403: "issue.advice.secret",
  404: "issue.advice.path",
  405: "issue.advice.path",
  413: "issue.advice.size",
} as const satisfies Record<number, Key>;

export type Advice = (typeof byCause)[keyof typeof byCause] | (typeof byStatus)[keyof typeof byStatus];

/** Key of the advice for a class of failures and the HTTP status that went with it (0: none). */
export const adviceFor = (cause: string, status: number): Advice | undefined =>
  byStatus[status as keyof typeof byStatus] ?? byCause[cause as keyof typeof byCause];
