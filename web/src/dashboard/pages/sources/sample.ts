// The command that sends a first request to a source. Pure.
import type { SourceType } from "./queries";

/** A signed sample of the provider where there is one, else any JSON. The secret is left for the reader to fill in. */
export function sampleCommand(type: SourceType, url: string): string {
  const [sample] = type.samples;
  if (sample === undefined) return `curl ${url} --json '{"hello":"world"}'`;
  const secret = type.secretOptional ? "" : "GRAPNEL_SECRET=… ";
  return `${secret}grapnel send '${type.name}/${sample}' --to ${url}`;
}
