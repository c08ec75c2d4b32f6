// A reverse proxy that puts the server under a path, in the two kinds there are, and a host page that embeds the portal.
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export const prefix = "/tools/hooks";

/** A listening server of node with its origin. */
export interface Listening {
  origin: string;
  stop(): Promise<void>;
}

/** Begins to listen on a free port of loopback. The host may be "localhost", which is another site than 127.0.0.1. */
export async function listen(server: Server, host = "127.0.0.1"): Promise<Listening> {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    origin: `http://${host}:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A proxy for what lies under the prefix. The target may be set once it is known; what lies elsewhere is not found. */
export interface Proxy extends Listening {
  target: string;
}

/** What the proxy does with the prefix before it passes a request on. */
export type Kind = "strips" | "keeps";

export async function startProxy(kind: Kind): Promise<Proxy> {
  const server = createServer((req, res) => {
    const url = req.url ?? "/";
    if (url !== prefix && !url.startsWith(`${prefix}/`) && !url.startsWith(`${prefix}?`)) {
      res.writeHead(404, { "content-type": "text/plain" }).end("another program lives here");
      return;
    }
    const path = kind === "keeps" ? url : url.slice(prefix.length).replace(/^(?!\/)/, "/");
    const to = new URL(proxy.target);
    const onward = request(
      { host: to.hostname, port: to.port, path, method: req.method, headers: { ...req.headers, host: req.headers.host } },
      (answer) => {
        res.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(res);
      },
    );
    onward.on("error", () => res.destroy());
    res.on("close", () => onward.destroy());
    req.pipe(onward);
  });
  const proxy: Proxy = Object.assign(await listen(server), { target: "" });
  return proxy;
}
