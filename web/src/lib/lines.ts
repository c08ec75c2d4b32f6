// Names and values as people edit them: one "name: value" a line.

export const linesText = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

/** Reads the lines back; the number of the first line that has no colon otherwise. */
export function readLines(text: string): Record<string, string> | number {
  const found: Record<string, string> = {};
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return i + 1;
    found[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return found;
}

/** Names out of a text with commas, each once. */
export const namesOf = (text: string): string[] =>
  [...new Set(text.split(",").map((one) => one.trim()))].filter(Boolean);
