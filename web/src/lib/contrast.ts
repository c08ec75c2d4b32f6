// Contrast of colours as WCAG 2.2 measures it (1.4.3), and the colours that the portal makes of an accent. The server decides the same
// way when a theme is saved (internal/api); this is for seeing it while one chooses.

/** Grounds of the portal's two schemes, and the least contrast of text on them. */
export const grounds = { light: "#f7f9fa", dark: "#0b1218" } as const;
export const leastContrast = 4.5;

type RGB = readonly [number, number, number];

/** Reads #rrggbb; undefined for anything else. */
export function parseColour(text: string): RGB | undefined {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return undefined;
  const part = (at: number) => Number.parseInt(text.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

const written = (colour: RGB): string => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

function luminance(colour: RGB): number {
  const [r = 0, g = 0, b = 0] = colour.map((part) => {
    const v = part / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** From 1 to 21; 0 where one of them is no colour. */
export function contrast(a: string, b: string): number {
  const [one, other] = [parseColour(a), parseColour(b)];
  if (!one || !other) return 0;
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The colour of text on an accent: white where it can be read, else black. */
export const onColour = (accent: string): string =>
  contrast("#ffffff", accent) >= leastContrast ? "#ffffff" : "#000000";

/** The accent with so much white in it that it can be read on the dark ground. */
export function lightened(accent: string): string {
  const colour = parseColour(accent);
  if (!colour) return accent;
  const steps = 64;
  for (let i = 0; i < steps; i++) {
    const mixed = written(colour.map((part) => part + Math.floor(((255 - part) * i) / steps)) as unknown as RGB);
    if (contrast(mixed, grounds.dark) >= leastContrast) return mixed;
  }
  return "#ffffff";
}
