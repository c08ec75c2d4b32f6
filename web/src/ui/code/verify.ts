// How receivers verify a signature, with nothing but what their language brings along.
import type { CodeTab, VerifySnippetProps } from "./props";

const note = (mark: string, { endpointId, messageId }: VerifySnippetProps) =>
  [endpointId && `endpoint ${endpointId}`, messageId && `message ${messageId}`]
    .filter(Boolean)
    .map((line) => `${mark} ${line}\n`)
    .join("");

/** The texts, with the ids that one looks at in a comment. */
export function verifySnippets(props: VerifySnippetProps): CodeTab[] {
  return props.scheme === "v1" ? shared(props) : keyPair(props);
}

function shared(props: VerifySnippetProps): CodeTab[] {
  return [
    {
      id: "javascript",
      label: "JavaScript",
      text: `${note("//", props)}import { createHmac, timingSafeEqual } from "node:crypto";

// body: the bytes as they came, before any parsing. secret: whsec_…
export function verify(headers, body, secret) {
  const id = headers["webhook-id"], at = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(at)) <= 300)) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const want = createHmac("sha256", key).update(\`\${id}.\${at}.\`).update(body).digest();
  return headers["webhook-signature"].split(" ").some((one) => {
    const [version, text] = one.split(",");
    const got = Buffer.from(text ?? "", "base64");
    return version === "v1" && got.length === want.length && timingSafeEqual(got, want);
  });
}`,
    },
    {
      id: "python",
      label: "Python",
      text: `${note("#", props)}import base64, hashlib, hmac, time

# body: the bytes as they came, before any parsing. secret: whsec_…
def verify(headers, body, secret):
    id, at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(at)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    want = base64.b64encode(hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest())
    return any(hmac.compare_digest(b"v1," + want, one.encode()) for one in headers["webhook-signature"].split())`,
    },
    goTab(props, "secret // whsec_…"),
  ];
}

function keyPair(props: VerifySnippetProps): CodeTab[] {
  const key = props.publicKey ?? "whpk_…";
  return [
    {
      id: "javascript",
      label: "JavaScript",
      text: `${note("//", props)}import { createPublicKey, verify as check } from "node:crypto";

// body: the bytes as they came, before any parsing.
const raw = Buffer.from("${key}".replace("whpk_", ""), "base64");
const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
const key = createPublicKey({ key: der, format: "der", type: "spki" });

export function verify(headers, body) {
  const id = headers["webhook-id"], at = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(at)) <= 300)) return false;
  const signed = Buffer.concat([Buffer.from(\`\${id}.\${at}.\`), body]);
  return headers["webhook-signature"].split(" ").some((one) => {
    const [version, text] = one.split(",");
    return version === "v1a" && check(null, signed, key, Buffer.from(text ?? "", "base64"));
  });
}`,
    },
    goTab(props, `"${key}"`),
  ];
}

const goTab = (props: VerifySnippetProps, key: string): CodeTab => ({
  id: "go",
  label: "Go",
  text: `${note("//", props)}// import "github.com/grapnelhq/grapnel/webhook"
key, err := webhook.ParseKey(${key.startsWith('"') ? key : "secret"})
if err != nil {
	return err
}
verifier, err := webhook.NewVerifier([]webhook.Key{key})
if err != nil {
	return err
}
err = verifier.Verify(r.Header, body) // body: the bytes as they came`,
});
