// Work that grows with the size of a document.
import { diffJSON, type JSONChange } from "./diffjson";
import { diffLines, type LineDiff } from "./difflines";
import { type Parsed, parseJSON } from "./json";

export type Job =
  | { kind: "parse"; text: string }
  | { kind: "lines"; left: string; right: string }
  | { kind: "json"; left: string; right: string };

export type Result<J extends Job> = J["kind"] extends "parse"
  ? Parsed
  : J["kind"] extends "lines"
    ? LineDiff
    : JSONChange[];

/** Does the job here. */
export function work(job: Job): Parsed | LineDiff | JSONChange[] {
  if (job.kind === "parse") return parseJSON(job.text);
  if (job.kind === "lines") return diffLines(job.left, job.right);
  const [left, right] = [parseJSON(job.left).tree, parseJSON(job.right).tree];
  return left && right ? diffJSON(left, right) : [];
}
