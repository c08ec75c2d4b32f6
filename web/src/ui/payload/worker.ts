// The worker's side of background.ts: one job, one answer.
import { type Job, work } from "./jobs";
import type { Parsed } from "./json";

addEventListener("message", (event: MessageEvent<Job>) => {
  const result = work(event.data);
  const tree = event.data.kind === "parse" ? (result as Parsed).tree : undefined;
  if (!tree) {
    postMessage(result);
    return;
  }
  // The page has the text already; the arrays move over without a copy.
  const arrays = Object.values(tree).filter((value): value is Int32Array<ArrayBuffer> => ArrayBuffer.isView(value));
  postMessage({ tree: { ...tree, text: "" } }, { transfer: arrays.map((array) => array.buffer) });
});
