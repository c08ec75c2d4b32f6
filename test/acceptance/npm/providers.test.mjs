// The providers' own libraries against package provider, over random bodies: what they sign, we verify; what we sign, they verify; and
// what is changed by one bit is refused by both. The random numbers are those of SEED.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { createInterface } from 'node:readline';
import { bodies, flipBody, flipProof, random, seed } from './bodies.mjs';
import { request, sdks } from './sdks.mjs';

const oracle = spawn(process.env.GRAPNEL_ORACLE, [], { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = []; // for answers, in the order of the questions
createInterface({ input: oracle.stdout, crlfDelay: Infinity }).on('line', (line) => waiting.shift().resolve(JSON.parse(line)));
oracle.on('exit', () => waiting.splice(0).forEach(({ reject }) => reject(new Error('the oracle ended'))));
after(() => oracle.stdin.end());

/** Asks package provider. */
async function ask(what, sdk, secret, r) {
  const answer = await new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    oracle.stdin.write(`${JSON.stringify({
      ask: what, provider: sdk.provider, settings: sdk.settings ?? {}, secret, id: `evt_${random(1e9)}`,
      method: r.method, url: r.url, headers: r.headers, body: r.body.toString('base64'),
    })}\n`);
  });
  assert.equal(answer.error, undefined);
  return answer;
}

/** Whether the provider's library believes a request; most throw at what they do not. */
async function theyBelieve(sdk, secret, r) {
  try {
    return await sdk.verify(r, secret);
  } catch (error) {
    if (error instanceof TypeError && error.message.includes('is not a function')) throw error;
    return false;
  }
}

async function weBelieve(sdk, secret, r) {
  const { ok, reason } = await ask('verify', sdk, sdk.publicSecret?.(secret) ?? secret, r);
  return ok ? 'verified' : reason;
}

/** Both believe the request, and neither believes it with one bit changed. */
async function agree(sdk, secret, r, by) {
  const about = () => `signed by ${by}, SEED=${seed}: ${JSON.stringify({ ...r, body: r.body.toString('base64').slice(0, 2000) })}`;
  assert.equal(await theyBelieve(sdk, secret, r), true, `they refuse what is ${about()}`);
  assert.equal(await weBelieve(sdk, secret, r), 'verified', `we refuse what is ${about()}`);
  for (const [what, changed] of [['body', flipBody(sdk, r)], ['signature', flipProof(sdk, r)]]) {
    if (!changed) continue;
    assert.equal(await theyBelieve(sdk, secret, changed), false, `they believe a changed ${what}, ${about()}`);
    const reason = await weBelieve(sdk, secret, changed);
    assert.notEqual(reason, 'verified', `we believe a changed ${what}, ${about()}`);
    assert.notEqual(reason, 'missing_header', `the header of the signature is another: ${about()}`);
  }
}

for (const sdk of sdks) {
  test(`${sdk.name ?? sdk.provider}: both sides agree about random bodies`, async () => {
    const secret = sdk.secret();
    const all = bodies(sdk);
    assert.ok(all.length >= 50, `${all.length} bodies are too few`);
    for (const body of all) {
      const theirs = request(body());
      if (sdk.takes === 'form') theirs.headers['content-type'] = 'application/x-www-form-urlencoded';
      await sdk.sign(theirs, secret);
      await agree(sdk, secret, theirs, 'them');
      if (sdk.weSign === false) continue;
      const ours = { ...request(body()), headers: { 'content-type': theirs.headers['content-type'] } };
      const signed = await ask('sign', sdk, secret, ours);
      const headers = Object.fromEntries(Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), value]));
      await agree(sdk, secret, { ...ours, url: signed.url, headers, body: Buffer.from(signed.body ?? '', 'base64') }, 'us');
    }
  });
}
