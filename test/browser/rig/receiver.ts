// Receivers of webhooks that answer as told and keep what came.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a receiver answers. A receiver that hangs never does. */
export type Answer = { status: number; body?: string; type?: string; headers?: Record<string, string> } | "hang";

export class Receiver {
  readonly received: Received[] = [];
  url = "";

  private constructor(
    private readonly server: Server,
    /** May be changed at any time. */
    public answer: Answer,
  ) {}

  static async start(answer: Answer = { status: 200, body: "ok" }): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server, answer);
    server.on("request", async (req, res) => {
      receiver.received.push({ path: req.url ?? "/", headers: req.headers, body: await bodyOf(req) });
      const say = receiver.answer;
      if (say === "hang") return;
      res.writeHead(say.status, { "content-type": say.type ?? "text/plain", ...say.headers });
      res.end(say.body ?? "");
    });
    server.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
    return receiver;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
