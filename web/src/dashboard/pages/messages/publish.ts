// The body of a publish, put together without reading the payload: it goes as it was written.

interface Publish {
  eventType: string;
  payload: string;
  eventId: string;
  channels: readonly string[];
  tags: readonly string[];
}

/** Names out of a text with commas. */
export const names = (text: string): string[] => [...new Set(text.split(",").map((one) => one.trim()))].filter(Boolean);

/** JSON of a publish. Numbers in the payload keep all their digits. */
export function publishBody({ eventType, payload, eventId, channels, tags }: Publish): string {
  const more = [
    eventId.trim() && `"eventId":${JSON.stringify(eventId.trim())}`,
    channels.length > 0 && `"channels":${JSON.stringify(channels)}`,
    tags.length > 0 && `"tags":${JSON.stringify(tags)}`,
  ].filter(Boolean);
  return `{"eventType":${JSON.stringify(eventType)},"payload":${payload.trim() || "{}"}${more.map((one) => `,${one}`).join("")}}`;
}

/** The first example in the newest schema of a type, laid out; undefined where there is none. */
export function exampleOf(schemas: Readonly<Record<string, unknown>> | null | undefined): string | undefined {
  const versions = Object.keys(schemas ?? {}).sort((a, b) => Number(b) - Number(a));
  for (const version of versions) {
    const schema = schemas?.[version] as { examples?: unknown; example?: unknown } | null;
    const example = Array.isArray(schema?.examples) ? schema.examples[0] : schema?.example;
    if (typeof example === "object" && example !== null) return JSON.stringify(example, null, 2);
  }
  return undefined;
}
