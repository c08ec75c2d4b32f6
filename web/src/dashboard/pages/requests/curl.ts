// A request as a command that sends the same to another address. Pure.
import { shellWord } from "@/ui/code/snippets";
import type { Request } from "./queries";

/** Headers that belong to one connection, or that curl writes itself. */
const own = ["host", "content-length", "connection", "transfer-encoding", "accept-encoding"];

/**
 * The command, with the body as text where it can be one and otherwise from a file. Values that the server keeps to itself are left out.
 */
export function curlOf(request: Request, body: Uint8Array | undefined, url: string): string {
  const parts = [`curl -X ${request.method} ${shellWord(url + (request.query ? `?${request.query}` : ""))}`];
  for (const [name, value] of request.headers as [string, string][])
    if (!own.includes(name.toLowerCase()) && value !== "[redacted]") parts.push(`-H ${shellWord(`${name}: ${value}`)}`);
  const text = body && textOf(body);
  if (request.bodySize > 0) parts.push(`--data-binary ${text === undefined ? "@body" : shellWord(text)}`);
  return parts.join(" \\\n  ");
}

/** Longer bodies are no longer a line that one pastes. */
const longest = 16_384;

export function textOf(body: Uint8Array): string | undefined {
  if (body.length > longest) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}
