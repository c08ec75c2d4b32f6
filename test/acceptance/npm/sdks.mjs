// The providers' own libraries, each in the form that providers.test.mjs compares with ours: it signs a request (or, where the library
// only verifies, the primitive signs that its provider documents), and it verifies one.
//
// A request is {method, url, headers with lower-case names, body as a Buffer}. `takes` is what bodies the library can read: any bytes,
// any text, or JSON alone. `proof` is the header with the signature and how that is written.
import { createHash, createHmac, generateKeyPairSync, randomBytes, randomUUID, sign as signWith } from 'node:crypto';
import { createRequire } from 'node:module';
import { Signature as HubSpot } from '@hubspot/api-client/lib/src/utils/signature.js';
import { LinearWebhookClient } from '@linear/sdk/webhooks';
import { validateSignature as verifyLine } from '@line/bot-sdk';
import { sign as signGitHub, verify as verifyGitHub } from '@octokit/webhooks-methods';
import { Paddle } from '@paddle/paddle-node-sdk';
import { encodeSignatureHeader, isValidSignature } from '@sanity/webhook';
import { EventWebhook } from '@sendgrid/eventwebhook';
import { WorkOS } from '@workos-inc/node';
import { verifyKey } from 'discord-interactions';
import OpenAI from 'openai';
import Pusher from 'pusher';
import Razorpay from 'razorpay';
import { validateWebhook } from 'replicate';
import { Resend } from 'resend';
import { WebhooksHelper } from 'square';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as SvixWebhook } from 'svix';
import nacl from 'tweetnacl';

const twilio = createRequire(import.meta.url)('twilio');

const text = (request) => request.body.toString();
const seconds = () => Math.floor(Date.now() / 1000);
const hmac = (hash, key, encoding, ...parts) => parts.reduce((h, part) => h.update(part), createHmac(hash, key)).digest(encoding);
const word = () => randomBytes(16).toString('hex');

/** Those that follow the specification, each with its own library to verify. */
function standard({ prefix = 'webhook', ...sdk }) {
  const Signer = prefix === 'svix' ? SvixWebhook : StandardWebhook;
  return {
    secret: () => `whsec_${randomBytes(24).toString('base64')}`,
    proof: { header: `${prefix}-signature`, encoding: 'base64' },
    sign(request, secret) {
      const id = `msg_${word()}`;
      const at = new Date();
      Object.assign(request.headers, {
        [`${prefix}-id`]: id,
        [`${prefix}-timestamp`]: String(Math.floor(at / 1000)),
        [`${prefix}-signature`]: new Signer(secret).sign(id, at, text(request)),
      });
    },
    ...sdk,
  };
}

/** Verifies by what throws if it does not. */
const trusts = (check) => { check(); return true; };

function stripe() {
  const { webhooks } = Stripe;
  return {
    provider: 'stripe', takes: 'text', noEmpty: true,
    secret: () => `whsec_${word()}`,
    proof: { header: 'stripe-signature', encoding: 'hex' },
    sign(request, secret) { request.headers['stripe-signature'] = webhooks.generateTestHeaderString({ payload: text(request), secret }); },
    verify: (request, secret) => trusts(() => webhooks.signature.verifyHeader(text(request), request.headers['stripe-signature'], secret)),
  };
}

const github = {
  provider: 'github', takes: 'text', noEmpty: true, secret: word,
  proof: { header: 'x-hub-signature-256', encoding: 'hex' },
  async sign(request, secret) { request.headers['x-hub-signature-256'] = await signGitHub(secret, text(request)); },
  verify: (request, secret) => verifyGitHub(secret, text(request), request.headers['x-hub-signature-256']),
};

/** Form fields by name, a list where a name is there several times, as web frameworks give them to the library. */
function fields(request) {
  const form = new URLSearchParams(text(request));
  return Object.fromEntries([...new Set(form.keys())].map((name) => [name, form.getAll(name).length > 1 ? form.getAll(name) : form.get(name)]));
}

const twilioForm = {
  provider: 'twilio', name: 'twilio, form fields', takes: 'form', secret: word,
  proof: { header: 'x-twilio-signature', encoding: 'base64' },
  sign(request, secret) { request.headers['x-twilio-signature'] = twilio.getExpectedTwilioSignature(secret, request.url, fields(request)); },
  verify: (request, secret) => twilio.validateRequest(secret, request.headers['x-twilio-signature'], request.url, fields(request)),
};

const twilioBody = {
  provider: 'twilio', name: 'twilio, hash of the body', takes: 'text', secret: word, noEmpty: true,
  proof: { header: 'x-twilio-signature', encoding: 'base64' },
  sign(request, secret) {
    request.headers['content-type'] = 'application/json';
    request.url += `&bodySHA256=${createHash('sha256').update(request.body).digest('hex')}`;
    request.headers['x-twilio-signature'] = twilio.getExpectedTwilioSignature(secret, request.url, {});
  },
  verify: (request, secret) => twilio.validateRequestWithBody(secret, request.headers['x-twilio-signature'], request.url, text(request)),
};

const square = {
  provider: 'square', takes: 'text', secret: word,
  proof: { header: 'x-square-hmacsha256-signature', encoding: 'base64' },
  sign(request, secret) { request.headers['x-square-hmacsha256-signature'] = hmac('sha256', secret, 'base64', request.url, request.body); },
  verify: (request, secret) => WebhooksHelper.verifySignature({
    requestBody: text(request), signatureHeader: request.headers['x-square-hmacsha256-signature'], signatureKey: secret, notificationUrl: request.url,
  }),
};

const razorpay = {
  provider: 'razorpay', takes: 'text', secret: word,
  proof: { header: 'x-razorpay-signature', encoding: 'hex' },
  sign(request, secret) { request.headers['x-razorpay-signature'] = hmac('sha256', secret, 'hex', request.body); },
  verify: (request, secret) => Razorpay.validateWebhookSignature(text(request), request.headers['x-razorpay-signature'], secret),
};

function hubspot(version) {
  const [header, encoding] = version === 'v3' ? ['x-hubspot-signature-v3', 'base64'] : ['x-hubspot-signature', 'hex'];
  const options = (request, secret) => ({
    clientSecret: secret, requestBody: text(request), url: request.url, method: request.method, signatureVersion: version,
    signature: request.headers[header], timestamp: version === 'v3' ? Number(request.headers['x-hubspot-request-timestamp']) : undefined,
  });
  return {
    provider: 'hubspot', name: `hubspot, ${version}`, takes: 'text', secret: word,
    // The older versions are plain hashes; ours takes them for text without zero bytes, and signs with the newest alone.
    noZero: version !== 'v3', weSign: version === 'v3',
    proof: { header, encoding },
    sign(request, secret) {
      if (version === 'v3') request.headers['x-hubspot-request-timestamp'] = String(Date.now());
      else request.headers['x-hubspot-signature-version'] = version;
      request.headers[header] = HubSpot.getSignature(request.method, version, options(request, secret));
    },
    verify: (request, secret) => HubSpot.isValid(options(request, secret)),
  };
}

function discord() {
  const pairs = new Map(); // public key by private key
  const proof = (request) => [Buffer.from(request.headers['x-signature-ed25519'], 'hex'), request.headers['x-signature-timestamp']];
  return {
    provider: 'discord', takes: 'bytes', proof: { header: 'x-signature-ed25519', encoding: 'hex' },
    secret() {
      const { publicKey, secretKey } = nacl.sign.keyPair();
      const secret = Buffer.from(secretKey).toString('hex');
      pairs.set(secret, publicKey);
      return secret;
    },
    publicSecret: (secret) => Buffer.from(pairs.get(secret)).toString('hex'),
    sign(request, secret) {
      const at = String(seconds());
      const signature = nacl.sign.detached(Buffer.concat([Buffer.from(at), request.body]), Buffer.from(secret, 'hex'));
      Object.assign(request.headers, { 'x-signature-timestamp': at, 'x-signature-ed25519': Buffer.from(signature).toString('hex') });
    },
    async verify(request, secret) {
      const [signature, at] = proof(request);
      const one = await verifyKey(request.body, signature.toString('hex'), at, this.publicSecret(secret));
      const other = nacl.sign.detached.verify(Buffer.concat([Buffer.from(at), request.body]), signature, pairs.get(secret));
      if (one !== other) throw new Error('discord-interactions and tweetnacl disagree');
      return one;
    },
  };
}

const paddle = {
  provider: 'paddle', takes: 'text', secret: () => `pdl_ntfset_${word()}`,
  proof: { header: 'paddle-signature', encoding: 'hex' },
  sign(request, secret) {
    const at = seconds();
    request.headers['paddle-signature'] = `ts=${at};h1=${hmac('sha256', secret, 'hex', `${at}:`, request.body)}`;
  },
  verify: (request, secret) => new Paddle('key').webhooks.isSignatureValid(text(request), secret, request.headers['paddle-signature']),
};

function sendgrid() {
  const [signature, timestamp] = ['x-twilio-email-event-webhook-signature', 'x-twilio-email-event-webhook-timestamp'];
  const pairs = new Map(); // public key by private key
  const events = new EventWebhook();
  return {
    provider: 'sendgrid', takes: 'text',
    // Bits of s alone: the library does not look at all of what is around the two numbers.
    proof: { header: signature, encoding: 'base64', last: 16 },
    secret() {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const secret = privateKey.export({ type: 'pkcs8', format: 'pem' });
      pairs.set(secret, { publicKey, privateKey });
      return secret;
    },
    publicSecret: (secret) => pairs.get(secret).publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    sign(request, secret) {
      request.headers[timestamp] = String(seconds());
      request.headers[signature] = signWith('sha256', Buffer.concat([Buffer.from(request.headers[timestamp]), request.body]),
        pairs.get(secret).privateKey).toString('base64');
    },
    verify(request, secret) {
      const key = events.convertPublicKeyToECDSA(pairs.get(secret).publicKey.export({ type: 'spki', format: 'pem' }));
      return events.verifySignature(key, text(request), request.headers[signature], request.headers[timestamp]);
    },
  };
}

const line = {
  provider: 'line', takes: 'bytes', secret: word,
  proof: { header: 'x-line-signature', encoding: 'base64' },
  sign(request, secret) { request.headers['x-line-signature'] = hmac('sha256', secret, 'base64', request.body); },
  verify: (request, secret) => verifyLine(request.body, secret, request.headers['x-line-signature']),
};

const sanity = {
  provider: 'sanity', takes: 'text', noEmpty: true, secret: word,
  proof: { header: 'sanity-webhook-signature', encoding: 'base64url' },
  async sign(request, secret) { request.headers['sanity-webhook-signature'] = await encodeSignatureHeader(text(request), Date.now(), secret); },
  verify: (request, secret) => isValidSignature(text(request), request.headers['sanity-webhook-signature'], secret),
};

function workos() {
  const { webhooks } = new WorkOS('key');
  return {
    provider: 'workos', takes: 'text', secret: word,
    proof: { header: 'workos-signature', encoding: 'hex' },
    async sign(request, secret) {
      const at = Date.now();
      request.headers['workos-signature'] = `t=${at}, v1=${await webhooks.computeSignature(at, text(request), secret)}`;
    },
    verify: (request, secret) => webhooks.verifyHeader({ payload: text(request), sigHeader: request.headers['workos-signature'], secret }),
  };
}

const linear = {
  provider: 'linear', takes: 'json', secret: word,
  proof: { header: 'linear-signature', encoding: 'hex' },
  body: (members) => ({ ...members, webhookTimestamp: Date.now() }),
  sign(request, secret) { request.headers['linear-signature'] = hmac('sha256', secret, 'hex', request.body); },
  verify: (request, secret) => new LinearWebhookClient(secret).verify(request.body, request.headers['linear-signature']),
};

function pusher() {
  const key = 'app-key';
  const of = (secret) => new Pusher({ appId: '1', key, secret, cluster: 'eu' });
  return {
    provider: 'pusher', takes: 'json', secret: word, settings: { accountKey: key },
    proof: { header: 'x-pusher-signature', encoding: 'hex' },
    sign(request, secret) {
      Object.assign(request.headers, { 'x-pusher-key': key, 'x-pusher-signature': of(secret).config.token.sign(text(request)) });
    },
    verify: (request, secret) => of(secret).webhook({ headers: { ...request.headers, 'content-type': 'application/json' }, rawBody: text(request) }).isValid(),
  };
}

const replicate = standard({
  provider: 'replicate', takes: 'text', noEmpty: true,
  verify: (request, secret) => validateWebhook({
    id: request.headers['webhook-id'], timestamp: request.headers['webhook-timestamp'], signature: request.headers['webhook-signature'],
    body: text(request), secret,
  }),
});

const openai = standard({
  provider: 'openai', takes: 'text',
  verify: async (request, secret) => {
    await new OpenAI({ apiKey: 'key' }).webhooks.verifySignature(text(request), request.headers, secret);
    return true;
  },
});

const resend = standard({
  provider: 'resend', takes: 'json', prefix: 'svix',
  verify: (request, secret) => trusts(() => new Resend('re_key').webhooks.verify({
    payload: text(request), webhookSecret: secret,
    headers: { id: request.headers['svix-id'], timestamp: request.headers['svix-timestamp'], signature: request.headers['svix-signature'] },
  })),
});

export const sdks = [
  stripe(), github, twilioForm, twilioBody, square, razorpay, hubspot('v1'), hubspot('v2'), hubspot('v3'), discord(), paddle, sendgrid(), line,
  sanity, workos(), linear, pusher(), replicate, openai, resend,
  standard({ provider: 'standard-webhooks', takes: 'text', verify: (r, secret) => trusts(() => new StandardWebhook(secret).verify(text(r), r.headers, { jsonParse: false })) }),
  standard({ provider: 'svix', takes: 'text', prefix: 'svix', verify: (r, secret) => trusts(() => new SvixWebhook(secret).verify(text(r), r.headers, { jsonParse: false })) }),
];

/** The request that an event comes with, unsigned. */
export const request = (body) => ({
  method: 'POST', url: `https://hooks.example.com/in/${randomUUID()}?a=b&c=%20d`, headers: { 'content-type': 'application/json' }, body,
});
