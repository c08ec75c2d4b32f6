// The API as a program uses it: with the environment key.
import { key, type Server } from "./server.ts";

/** Anything that JSON holds; the tests know what they ask for. */
// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member
export type Json = any;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly body: Json,
    what: string,
  ) {
    super(`${what}: ${status} ${JSON.stringify(body)}`);
  }
}

export class Api {
  constructor(
    private readonly server: Server,
    private readonly token: string = key,
  ) {}

  get(path: string): Promise<Json> {
    return this.call("GET", path);
  }
  post(path: string, body: Json = {}): Promise<Json> {
    return this.call("POST", path, body);
  }
  put(path: string, body: Json): Promise<Json> {
    return this.call("PUT", path, body);
  }
  patch(path: string, body: Json): Promise<Json> {
    return this.call("PATCH", path, body);
  }
  delete(path: string): Promise<Json> {
    return this.call("DELETE", path);
  }

  /**
   * The JSON of the answer; undefined when there is none. An answer that says no is thrown. A body that is a text
   * goes as it is, for numbers that JavaScript does not have.
   */
  async call(method: string, path: string, body?: Json): Promise<Json> {
    const answer = await fetch(this.server.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const said = text === "" ? undefined : JSON.parse(text);
    if (!answer.ok) throw new Refused(answer.status, said, `${method} ${path}`);
    return said;
  }
}
