// One line per test, what failed in full at the end, and the count last.
import type { FullConfig, FullResult, Reporter, Suite, TestCase, TestResult } from "@playwright/test/reporter";
import { relative } from "node:path";

export default class Lines implements Reporter {
  private passed = 0;
  private readonly failed: string[] = [];
  private root = "";

  onBegin(config: FullConfig, suite: Suite): void {
    this.root = config.rootDir;
    console.log(`${suite.allTests().length} tests with ${config.workers} workers`);
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const [, project = "", , ...titles] = test.titlePath();
    const name = `${project}: ${titles.join(" › ")}`;
    const good = result.status === test.expectedStatus;
    console.log(`${good ? "ok  " : "FAIL"} ${(result.duration / 1000).toFixed(1).padStart(5)} s  ${name}`);
    if (good) {
      this.passed++;
      return;
    }
    const at = `${relative(this.root, test.location.file)}:${test.location.line}`;
    const why = result.errors.map((e) => [e.message ?? e.value ?? "", e.snippet ?? ""].join("\n")).join("\n\n");
    this.failed.push(`── ${name}\n   ${at}, ${result.status}\n${why}`);
  }

  onError(error: { message?: string; stack?: string }): void {
    console.log(error.stack ?? error.message ?? "");
  }

  onStdOut(chunk: string | Buffer): void {
    process.stdout.write(chunk);
  }

  onEnd(result: FullResult): void {
    for (const f of this.failed) console.log(`\n${f}`);
    const failed = this.failed.length;
    console.log(`\n${this.passed} passed, ${failed} failed${result.status === "passed" || failed > 0 ? "" : ` (${result.status})`}`);
  }

  printsToStdio(): boolean {
    return true;
  }
}
