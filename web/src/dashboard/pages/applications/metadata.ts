// Metadata as people edit it: one "name: value" a line.

export const metadataText = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

/** Reads the lines back; the number of the first line that has no colon otherwise. */
export function readMetadata(text: string): Record<string, string> | number {
  const found: Record<string, string> = {};
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return i + 1;
    found[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return found;
}
