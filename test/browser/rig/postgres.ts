// One PostgreSQL for a worker's tests, made by the command in ../postgres.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";

export class Postgres {
  private made = 0;
  private readonly addresses: AsyncIterator<string>;

  private constructor(
    private readonly process: ChildProcessWithoutNullStreams,
    lines: Interface,
  ) {
    this.addresses = lines[Symbol.asyncIterator]();
  }

  static start(): Postgres {
    const command = process.env.GRAPNEL_TEST_POSTGRES;
    if (!command) throw new Error("GRAPNEL_TEST_POSTGRES names no command that starts PostgreSQL; use run.sh");
    const child = spawn(command, { stdio: ["pipe", "pipe", "pipe"] });
    child.stderr.pipe(process.stderr);
    return new Postgres(child, createInterface({ input: child.stdout }));
  }

  /** The address of a new, empty database. */
  async database(): Promise<string> {
    this.process.stdin.write(`browser${this.made++}\n`);
    const next = await this.addresses.next();
    if (next.done) throw new Error("PostgreSQL did not start");
    return next.value;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exit = once(this.process, "exit");
    this.process.stdin.end();
    await exit;
  }
}
