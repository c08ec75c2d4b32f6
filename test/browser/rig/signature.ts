// Checks a delivery as a receiver would, by Standard Webhooks: HMAC-SHA256 of id, time and body.
import { createHmac } from "node:crypto";
import type { Received } from "./receiver.ts";

/** The signature that a secret (whsec_…) makes of what was received. */
export function signatureOf(secret: string, received: Received): string {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${received.headers["webhook-id"]}.${received.headers["webhook-timestamp"]}.${received.body}`;
  return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
}

/** Whether one of the signatures of what was received is that of the secret. */
export const verifies = (secret: string, received: Received): boolean =>
  String(received.headers["webhook-signature"]).split(" ").includes(signatureOf(secret, received));
