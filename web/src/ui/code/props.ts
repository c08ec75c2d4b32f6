// What the parts of this folder take. Pages import from "@/ui/code".
import type { ReactNode } from "react";

/** One call of the API, from which every language's text is made. */
export interface CallDescription {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the server's address, already escaped, with its query: "api/v1/app/acme/msg?wait=5". */
  path: string;
  /** JSON text, sent byte for byte. */
  body?: string;
  /** More headers, such as Idempotency-Key or Grapnel-Environment. */
  headers?: Readonly<Record<string, string>>;
  /** Words after "grapnel", not quoted: ["send", "invoice.paid", "-d", "{…}"]. No tab without them. */
  cli?: readonly string[];
  /** Address to call, where it is not the API of this server: an ingest URL. Then no key is sent. */
  url?: string;
  /** Name of the variable that holds the key; "GRAPNEL_API_KEY" without one. null: no key is sent. */
  keyVariable?: string | null;
}

export interface FromCodeProps {
  call: CallDescription;
  /** Over the tabs; "Do this from code" without one, null hides it. */
  title?: ReactNode;
}

export interface CodeTab {
  id: string;
  label: string;
  text: string;
}

export interface CodeBlockProps {
  /** Names the block for screen readers. */
  label: string;
  /** One text, or several under tabs. */
  text?: string;
  tabs?: readonly CodeTab[];
  /** Name under which the chosen tab is remembered in this browser; blocks with the same name follow each other. */
  remember?: string;
  /** Height class at which it scrolls; "max-h-96" without one. */
  height?: string;
  /** Breaks long lines instead of scrolling sideways. */
  wrap?: boolean;
}

export interface VerifySnippetProps {
  /** Kind of signature: a shared secret (whsec_) or a public key (whpk_). */
  scheme: "v1" | "v1a";
  /** Public key for v1a; shared secrets are never put into the text. */
  publicKey?: string;
  /** Ids of the attempt or endpoint one looks at, written into a comment. */
  endpointId?: string;
  messageId?: string;
}
