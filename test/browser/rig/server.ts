// The real binary, started on a free port of loopback with data of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The environment key that every server of these tests is started with: it may do everything. */
export const key = "browser-tests-key-with-all-rights";

const binary = process.env.GRAPNEL_BIN ?? new URL("../../../bin/grapnel", import.meta.url).pathname;

/** A folder with pages that are served in place of the binary's, while they are worked on. */
const pages = process.env.UI_DIR;

export interface ServerOptions {
  /** More flags of `grapnel serve`; a later one wins. */
  flags?: string[];
  /** Address of a database of its own; without it a SQLite file. */
  db?: string;
}

export class Server {
  /** Where the process listens, without a slash at the end. */
  url = "";
  private readonly lines: string[] = [];
  private readonly waiting = new Set<() => void>();
  private ended = false;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    for (const stream of [process.stdout, process.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        this.wake();
      });
    }
    process.on("exit", () => {
      this.ended = true;
      this.wake();
    });
  }

  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "grapnel-browser-"));
    const db = options.db ?? `sqlite:${join(folder, "grapnel.db")}`;
    const flags = ["serve", "--listen", "127.0.0.1:0", "--db", db, "--allow-net", "127.0.0.0/8", "--allow-http"];
    if (pages) flags.push("--ui-dir", pages);
    flags.push("--retry-schedule", "1s,1s,1s", "--log-level", "info", ...(options.flags ?? []));
    const process = spawn(binary, flags, { env: environment(options.db !== undefined), stdio: ["ignore", "pipe", "pipe"] });
    const server = new Server(process, folder);
    const listening = await server.line(/msg=listening .*url=(\S+)/);
    server.url = (listening[1] ?? "").replace(/\/$/, "");
    return server;
  }

  /** The first line of the log that matches, from the start on; waits for it. */
  async line(pattern: RegExp): Promise<RegExpMatchArray> {
    const until = Date.now() + 20_000;
    for (let seen = 0; ; ) {
      for (; seen < this.lines.length; seen++) {
        const match = this.lines[seen]?.match(pattern);
        if (match) return match;
      }
      if (this.ended || Date.now() > until) throw new Error(`the server never wrote ${pattern}:\n${this.log()}`);
      await this.change(until - Date.now());
    }
  }

  /** The link with which the first member of a fresh server sets it up, and its code. */
  async setupLink(): Promise<{ link: string; code: string }> {
    const match = await this.line(/(https?:\/\/[^\s"]+\/link#code=([^\s"]+))/);
    return { link: match[1] ?? "", code: match[2] ?? "" };
  }

  log(): string {
    return this.lines.join("\n");
  }

  async stop(): Promise<void> {
    if (!this.ended) {
      const exit = once(this.process, "exit");
      this.process.kill("SIGKILL"); // what it holds is thrown away
      await exit;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private wake(): void {
    for (const w of this.waiting) w();
    this.waiting.clear();
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** The environment without anybody's settings of a server. */
function environment(shared: boolean): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("GRAPNEL_") && name !== "DATABASE_URL");
  // Beside a file the server makes a master key itself.
  const master = shared ? { GRAPNEL_MASTER_KEY: randomBytes(32).toString("base64") } : {};
  return { ...Object.fromEntries(own), GRAPNEL_API_KEY: key, ...master };
}
