// The catalogue as people look for things in it: groups of names. Pure.

interface Named {
  name: string;
  groupName?: string | null;
  description?: string;
}

export interface Group<T> {
  name: string;
  types: T[];
}

/** The group that a type is listed under: its own, or the part of its name before the first dot. */
export const groupOf = (type: Named): string => type.groupName || type.name.split(".", 1)[0] || type.name;

/** Types by group, both in the order of their names; find leaves those whose name, group or description has every word. */
export function grouped<T extends Named>(types: readonly T[], find = ""): Group<T>[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, T[]>();
  for (const type of types) {
    const text = `${type.name} ${type.groupName ?? ""} ${type.description ?? ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const name = groupOf(type);
    const list = groups.get(name);
    if (list) list.push(type);
    else groups.set(name, [type]);
  }
  return [...groups]
    .map(([name, list]) => ({ name, types: list.sort((a, b) => a.name.localeCompare(b.name)) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
