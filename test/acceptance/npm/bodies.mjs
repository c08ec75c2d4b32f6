// Random bodies of webhooks, and what is left of a request after one bit of it has changed.
import { createHash } from 'node:crypto';

export const seed = process.env.SEED ?? String(Date.now());

let counter = 0;
let pool = Buffer.alloc(0);

/** A random number below n, the same for the same SEED. */
export function random(n) {
  if (pool.length < 4) pool = createHash('sha512').update(`${seed}/${counter++}`).digest();
  const value = pool.readUInt32LE();
  pool = pool.subarray(4);
  return value % n;
}

const pick = (list) => list[random(list.length)];
const times = (n, make) => Array.from({ length: n }, make);

// Characters that somebody on the way might have taken for something else. A byte order mark and U+FFFD are not among them: decoders
// drop the one and make the other, so that libraries which read text cannot tell them apart.
const odd = ['\r\n', '\n', '\t', '\0', '\u007f', ' ', '"', '\\', '/', '<', '>', '&', '\'', '%', '+', '=', '.', ':', '\u2028', '\u2029', 'é', 'e\u0301', 'ß',
  'İ', '漢字', '🪝', '👩‍👩‍👧', '\u200f', '\u{10ffff}', '\\u00e9', '${id}', '{}', '[]', '0', '-0', '1e400'];

const word = () => times(random(40), () => (random(3) ? String.fromCharCode(0x20 + random(0x5f)) : pick(odd))).join('');

function value(depth) {
  switch (random(depth > 3 ? 5 : 7)) {
    case 0: return null;
    case 1: return random(2) === 0;
    case 2: return random(2 ** 31) - 2 ** 30;
    case 3: return random(1e9) / 7;
    case 4: return word();
    case 5: return times(random(5), () => value(depth + 1));
    default: return members(depth + 1);
  }
}

const members = (depth) => Object.fromEntries(times(1 + random(5), () => [word(), value(depth)]));

const million = 1 << 20;

const json = (sdk) => {
  const written = (object, space) => () => Buffer.from(JSON.stringify(sdk.body ? sdk.body(object) : object, null, space));
  return [
    written({}), written({ id: 1 }), written({ pad: 'x'.repeat(million) }), written({ [odd.join('')]: odd }),
    ...times(56, () => written(members(0), pick([undefined, 1, '\t', '  ']))),
  ];
};

const text = () => [
  '', ' ', '\n', '{}', '{"a":1}\r\n', '{ "a" : 1.0 }', 'a=b&c=d+e', odd.join(''), '🪝'.repeat(million / 4), 'x'.repeat(million),
  ...times(40, word), ...times(20, () => JSON.stringify(members(0), null, random(3))),
].map((body) => () => Buffer.from(body));

const bytes = () => [
  ...text(), ...[Buffer.from([0xff]), Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), Buffer.from([0xc0, 0x80, 0, 0xed, 0xa0, 0x80])].map((b) => () => b),
  ...times(20, () => { const body = Buffer.from(times(1 + random(500), () => random(256))); return () => body; }),
];

const field = () => [times(1 + random(8), () => String.fromCharCode(0x41 + random(26))).join(''), word()];

const form = () => [
  [], [['Body', '']], [['Body', odd.join('')]], [['Body', 'x'.repeat(million)]], [['a', '1'], ['a', '2'], ['a', '1']],
  ...times(55, () => times(1 + random(6), field)),
].map((fields) => () => Buffer.from(new URLSearchParams(fields).toString()));

const kinds = { json, text, bytes, form };

/** At least fifty makers of bodies that the library can read. */
export function bodies(sdk) {
  return kinds[sdk.takes](sdk).filter((make) => {
    const body = make();
    return !(sdk.noEmpty && body.length === 0) && !(sdk.noZero && body.includes(0));
  });
}

function flipBit(buffer, from = 0) {
  const changed = Buffer.from(buffer);
  changed[from + random(changed.length - from)] ^= 1 << random(8);
  return changed;
}

/** The request with one bit of its body changed; nothing if it has none. */
export function flipBody(sdk, r) {
  if (r.body.length === 0) return undefined;
  if (sdk.takes !== 'form') return { ...r, body: flipBit(r.body) };
  // A bit of a value: the bits of %2F and %2f differ, but mean the same.
  const fields = [...new URLSearchParams(r.body.toString())];
  const changed = pick(fields);
  if (changed[1] === '') return undefined;
  const units = [...changed[1]];
  const at = random(units.length);
  units[at] = String.fromCodePoint(units[at].codePointAt(0) ^ 1);
  changed[1] = units.join('');
  return { ...r, body: Buffer.from(new URLSearchParams(fields).toString()) };
}

/** The request with one bit of its signature changed: of what is written, not of how it is written. */
export function flipProof(sdk, r) {
  const { header, encoding, last } = sdk.proof;
  const [written] = /[A-Za-z0-9+/_-]{16,}=*$/.exec(r.headers[header]);
  const signature = Buffer.from(written, encoding);
  const changed = flipBit(signature, last ? signature.length - last : 0).toString(encoding);
  return { ...r, headers: { ...r.headers, [header]: r.headers[header].slice(0, -written.length) + changed } };
}
