// Work on big documents, off the page's thread.
import { type Job, type Result, work } from "./jobs";
import type { Tree } from "./json";

/** Characters from which a job goes to the worker. */
export const bigText = 1_000_000;

const sizeOf = (job: Job) => (job.kind === "parse" ? job.text.length : job.left.length + job.right.length);

/** Does the job, in a worker when it is big. Aborting ends the worker, and the promise never settles. */
export function inBackground<J extends Job>(job: J, signal?: AbortSignal): Promise<Result<J>> {
  if (sizeOf(job) < bigText || typeof Worker === "undefined") return Promise.resolve(work(job) as Result<J>);
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  signal?.addEventListener("abort", () => worker.terminate());
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent) => {
      worker.terminate();
      const result = event.data as Result<J>;
      if (job.kind === "parse" && "tree" in result && result.tree) (result.tree as Tree).text = job.text;
      resolve(result);
    };
    worker.onerror = (event) => {
      worker.terminate();
      reject(new Error(event.message));
    };
    worker.postMessage(job);
  });
}
