// Passkeys (WebAuthn level 3): the server's options in, what the browser signs out, both as JSON.

/** True where the browser has what passkeys need, and the page is at a name: a passkey cannot belong to an IP address. */
export const passkeysWork = (): boolean =>
  typeof PublicKeyCredential !== "undefined" &&
  "parseRequestOptionsFromJSON" in PublicKeyCredential &&
  !/^[\d.]+$|:/.test(location.hostname);

type Options = { publicKey: PublicKeyCredentialRequestOptionsJSON & PublicKeyCredentialCreationOptionsJSON };

function written(credential: Credential | null): unknown {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no passkey", "NotAllowedError");
  return credential.toJSON();
}

/** Asks the person for a passkey they have. */
export async function askPasskey(options: unknown): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON((options as Options).publicKey);
  return written(await navigator.credentials.get({ publicKey }));
}

/** Asks the person's device to make a passkey. */
export async function makePasskey(options: unknown): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON((options as Options).publicKey);
  return written(await navigator.credentials.create({ publicKey }));
}

/** True for the error of a person who changed their mind, or whose time ran out: nothing to complain about. */
export const wasCanceled = (error: unknown): boolean =>
  error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");

/** True for the error of a device that already has a passkey of this member. */
export const isThereAlready = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "InvalidStateError";
