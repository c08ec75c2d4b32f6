// What a browser calls itself, as people call it. Pure.

const browsers: readonly [name: string, sign: RegExp][] = [
  ["Edge", /Edg(?:A|iOS)?\//],
  ["Opera", /OPR\//],
  ["Firefox", /(?:Firefox|FxiOS)\//],
  ["Chrome", /(?:Chrome|CriOS|Chromium)\//],
  ["Safari", /Safari\//],
];
const systems: readonly [name: string, sign: RegExp][] = [
  ["Android", /Android/],
  ["iOS", /iPhone|iPad|iPod/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X|Macintosh/],
  ["ChromeOS", /CrOS/],
  ["Linux", /Linux|X11/],
];

/** "Firefox, Windows"; its first words where it is no browser that is known, and nothing where it says nothing. */
export function browserOf(agent: string): string {
  const named = (list: readonly [string, RegExp][]) => list.find(([, sign]) => sign.test(agent))?.[0];
  const found = [named(browsers), named(systems)].filter(Boolean);
  return found.length > 0 ? found.join(", ") : agent.slice(0, 40);
}
