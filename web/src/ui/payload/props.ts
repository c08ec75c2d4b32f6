// What the parts of this folder take. Pages import from "@/ui/payload".
import type { ReactNode } from "react";

/** Bytes as they were stored, or a text that stands for its UTF-8. */
export type Bytes = Uint8Array | string;

/** One header line; names may repeat. */
export interface Header {
  name: string;
  value: string;
  /** The server did not give the value away. */
  masked?: boolean;
}

/** A place in a JSON document that the reader picked. */
export interface JSONPlace {
  /** Path as the search language writes it, without "body.": "items.0.amount". */
  path: string;
  /** RFC 9535: "$.items[0].amount". */
  jsonPath: string;
  kind: "object" | "array" | "string" | "number" | "boolean" | "null";
  /** Exact text of the value; strings without their quotes and escapes. */
  value: string;
}

export interface PayloadViewerProps {
  /** Names the region for screen readers: "Payload", "Request body". */
  label: string;
  /** The body, or null where state says why there is none. */
  bytes: Bytes | null;
  /** Why there are no bytes: withheld from this reader, past its retention, or not loaded yet. */
  state?: "hidden" | "expired" | "loading";
  /** When it was removed, for state expired. */
  expiredAt?: Date;
  /** Content-Type as received; decides the tabs. Without one, JSON is recognised by its first byte. */
  contentType?: string;
  /** Content-Encoding as received: gzip and deflate are decoded, others are said. */
  encoding?: string;
  /** Size of the whole body in bytes where bytes were cut. */
  fullSize?: number;
  /** The setting that cuts, to say how to change it: "max-response-body". */
  limitName?: string;
  /** Buttons at the right of the tabs. */
  actions?: ReactNode;
  /** Offers "Filter by this" on scalar values. */
  onFilter?(place: JSONPlace): void;
  /** Tab in sight and its change, when the page keeps it in the address. */
  tab?: PayloadTab;
  onTab?(tab: PayloadTab): void;
  /** The content grows to so many pixels and scrolls then; 384 without one. "fill" takes the height of its parent. */
  height?: number | "fill";
}

export type PayloadTab = "pretty" | "form" | "parts" | "raw" | "hex";

export interface HeaderTableProps {
  /** Names the table for screen readers: "Request headers". */
  label: string;
  headers: readonly Header[];
  /** Diff mode: the headers of the other side, which is the later one. */
  other?: readonly Header[];
  /** Names of the two sides in diff mode: "Attempt 1", "Attempt 2". */
  sides?: readonly [string, string];
}

export interface DiffSide {
  /** "Attempt 1", "msg_…". */
  label: string;
  bytes: Bytes | null;
  state?: "hidden" | "expired" | "loading";
  contentType?: string;
  encoding?: string;
}

export interface DiffViewProps {
  /** Names the region for screen readers: "Difference of the request bodies". */
  label: string;
  left: DiffSide;
  right: DiffSide;
  /** As in PayloadViewerProps. */
  height?: number | "fill";
}

export interface EditorProps {
  /** Names the field: said by the label above it. */
  label: string;
  labelHidden?: boolean;
  hint?: ReactNode;
  /** What is wrong, as the server said it. */
  error?: string;
  value: string;
  onChange?(value: string): void;
  /** JSON is coloured, checked as one types and can be formatted. */
  language?: "json" | "text";
  readOnly?: boolean;
  /** Lines in sight before it scrolls; 12 without one. */
  rows?: number;
  /** Called with the place of the syntax error, or null when there is none (JSON only). */
  onSyntax?(error: { line: number; column: number; message: string } | null): void;
}
