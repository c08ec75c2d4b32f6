// Starts the real server on loopback, and a receiver for what it sends.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { ApiException, Svix, Webhook } from 'svix';

const key = 'npm-acceptance-key-with-all-rights';
const patience = 15_000; // ms

const folder = mkdtempSync(join(tmpdir(), 'grapnel-npm-'));
const listen = `127.0.0.1:${await freePort()}`;
const url = `http://${listen}`;

/** Takes what the server sends. */
export const receiver = await startReceiver();

const server = spawn(process.env.GRAPNEL_BIN, [
  'serve', '--listen', listen, '--db', `sqlite:${join(folder, 'npm.db')}`, '--allow-net', '127.0.0.0/8',
  '--allow-http', '--retry-schedule', '150ms,300ms', '--log-level', 'warn',
], { env: { PATH: process.env.PATH, HOME: process.env.HOME, GRAPNEL_API_KEY: key }, stdio: ['ignore', 'pipe', 'pipe'] });
let log = '';
server.stdout.on('data', (text) => { log += text; });
server.stderr.on('data', (text) => { log += text; });
const ended = new Promise((resolve) => { server.on('exit', (code, signal) => resolve(code ?? signal)); });

after(async () => {
  server.kill('SIGTERM');
  assert.equal(await ended, 0, `the server's exit code; its log:\n${log}`);
  receiver.close();
  rmSync(folder, { recursive: true });
});

await eventually(async () => {
  if (server.exitCode !== null) throw new Error(`the server ended:\n${log}`);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
});

/** A client with the key of the environment, or another token. The slash must not matter. */
export const client = (token = key) => new Svix(token, { serverUrl: `${url}/` });

export const unique = (prefix) => `${prefix}-${randomUUID().slice(0, 8)}`;

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Repeats check until it does not throw. */
export async function eventually(check) {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 10); });
    }
  }
}

/** A receiver whose hooks each answer by a script of statuses; the last one stays. */
async function startReceiver() {
  const hooks = new Map();
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const hook = hooks.get(request.url);
      const status = hook.script.length > 1 ? hook.script.shift() : hook.script[0];
      response.writeHead(status).end(`answer ${status}`);
      hook.took({ headers: request.headers, body: Buffer.concat(parts), status });
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const at = `http://127.0.0.1:${server.address().port}`;
  return {
    close: () => { server.closeAllConnections(); server.close(); },
    hook: (...script) => {
      const path = `/${hooks.size}`;
      const hook = makeHook(at + path, script.length ? script : [200]);
      hooks.set(path, hook);
      return hook;
    },
  };
}

function makeHook(url, script) {
  const arrived = [];
  const waiting = [];
  return {
    url,
    script,
    answer(...statuses) { this.script = statuses; },
    took(webhook) {
      const next = waiting.shift();
      if (next) next(webhook);
      else arrived.push(webhook);
    },
    /** Waits for the next webhook. */
    next() {
      if (arrived.length) return Promise.resolve(arrived.shift());
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no webhook arrived at ${url}`)), patience);
        waiting.push((webhook) => { clearTimeout(timer); resolve(webhook); });
      });
    },
  };
}

/** Verifies with both libraries: the client's own and the one of the standard. */
export function verify(secret, webhook) {
  new Webhook(secret).verify(webhook.body, webhook.headers);
  new StandardWebhook(secret).verify(webhook.body, webhook.headers, { jsonParse: false });
}

/** Expects the client's own exception with this status; for 422 the place of the first fault, else the code. */
export async function refuses(promise, status, code) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof ApiException, `not the client's exception: ${error.stack}`);
    assert.equal(error.code, status, JSON.stringify(error.body));
    if (status === 422) {
      assert.equal(error.body.detail[0].loc.join('.'), code);
      assert.ok(error.body.detail[0].msg && error.body.detail[0].type);
    } else {
      const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body; // 5xx stay text
      assert.equal(body.code, code);
      assert.equal(typeof body.detail, 'string');
    }
    return true;
  });
}

/** Reads all pages of a list. */
export async function all(page) {
  const items = [];
  for (let iterator; ;) {
    const list = await page(iterator);
    items.push(...list.data);
    if (list.done) return items;
    assert.ok(list.iterator && list.data.length, 'a page that is not the last has no iterator or no items');
    iterator = list.iterator;
  }
}
