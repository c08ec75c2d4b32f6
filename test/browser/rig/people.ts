// Members, made and signed in as the pages do it, without the pages.
import type { BrowserContext } from "@playwright/test";
import type { Api } from "./api.ts";
import type { Server } from "./server.ts";

export interface Member {
  name: string;
  email: string;
  password: string;
}

export type Role = "viewer" | "developer" | "admin" | "owner";

export const owner: Member = { name: "Olive Owner", email: "olive@example.com", password: "a longer password than that" };

/** Uses the link of a fresh server: the owner is signed in in the context. */
export async function setUp(server: Server, context: BrowserContext, at = server.url): Promise<Member> {
  const { code } = await server.setupLink();
  await post(context, at, "/api/v1/setup", { code, ...owner });
  return owner;
}

/** Signs a member in in the context. */
export function signIn(context: BrowserContext, at: string, member: Member): Promise<void> {
  return post(context, at, "/api/v1/session", { email: member.email, password: member.password });
}

/** Invites a member by the owner's session in `by`, and signs it in in `context`. */
export async function invite(by: BrowserContext, context: BrowserContext, at: string, role: Role, mayReadPayloads: boolean): Promise<Member> {
  const member = { name: `${role} by invitation`, email: `${role}@example.com`, password: `the ${role}'s own password` };
  const made = await by.request.post(`${at}/api/v1/member`, {
    data: { email: member.email, name: member.name, role, mayReadPayloads },
    headers: { origin: new URL(at).origin },
  });
  if (!made.ok()) throw new Error(`inviting: ${made.status()} ${await made.text()}`);
  const said = (await made.json()) as { id: string; link?: { url: string } };
  const url = said.link?.url ?? (await linkOf(by, at, said.id));
  await post(context, at, "/api/v1/setup", { code: url.split("#code=")[1], password: member.password });
  return member;
}

async function linkOf(by: BrowserContext, at: string, id: string): Promise<string> {
  const answer = await by.request.post(`${at}/api/v1/member/${id}/link`, { data: {}, headers: { origin: new URL(at).origin } });
  if (!answer.ok()) throw new Error(`making a link: ${answer.status()} ${await answer.text()}`);
  return ((await answer.json()) as { url: string }).url;
}

async function post(context: BrowserContext, at: string, path: string, data: object): Promise<void> {
  const answer = await context.request.post(at + path, { data, headers: { origin: new URL(at).origin } });
  if (!answer.ok()) throw new Error(`POST ${path}: ${answer.status()} ${await answer.text()}`);
}

/** The link that opens the portal of an application. */
export async function portalLink(api: Api, app: string, more: object = {}): Promise<string> {
  return ((await api.post(`/api/v1/auth/app-portal-access/${app}`, more)) as { url: string }).url;
}
