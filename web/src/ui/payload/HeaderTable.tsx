import { t } from "@/lib/i18n";
import type { Header, HeaderTableProps } from "./props";

/** Headers in their order; in diff mode what was added, removed and changed. */
export function HeaderTable({ label, headers, other, sides }: HeaderTableProps) {
  if (headers.length === 0 && !other?.length) return <p className="p-3 text-ink-2">{t("headers.none")}</p>;
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse text-start">
        <thead className="text-ink-3 text-xs">
          <tr className="border-line border-b">
            <th className="w-56 px-3 py-1 text-start font-normal">{t("headers.name")}</th>
            {other ? (
              <>
                <th className="px-3 py-1 text-start font-normal">{sides?.[0]}</th>
                <th className="px-3 py-1 text-start font-normal">{sides?.[1]}</th>
                <th className="w-20 px-3 py-1">
                  <span className="sr-only">{t("headers.change")}</span>
                </th>
              </>
            ) : (
              <th className="px-3 py-1 text-start font-normal">{t("headers.value")}</th>
            )}
          </tr>
        </thead>
        <tbody className="data align-top">
          {other
            ? compared(headers, other).map(([name, a, b]) => (
                <tr key={name} className="border-line border-b">
                  <td className="px-3 py-1 text-ink-2">{name}</td>
                  <td className="break-all px-3 py-1">{a !== undefined && <Value header={a} />}</td>
                  <td className="break-all px-3 py-1">{b !== undefined && <Value header={b} />}</td>
                  <td className="px-3 py-1 font-sans text-retrying">
                    {a === undefined
                      ? t("diff.added")
                      : b === undefined
                        ? t("diff.removed")
                        : a.value !== b.value && t("diff.changed")}
                  </td>
                </tr>
              ))
            : headers.map((header, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: names repeat, places do not
                <tr key={i} className="border-line border-b">
                  <td className="px-3 py-1 text-ink-2">{header.name}</td>
                  <td className="break-all px-3 py-1">
                    <Value header={header} />
                  </td>
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

const Value = ({ header }: { header: Header }) =>
  header.masked ? <span className="font-sans text-ink-3 italic">{t("headers.masked")}</span> : header.value;

/** Both sides by name, in the order of the first; values of one name joined. */
function compared(left: readonly Header[], right: readonly Header[]): [name: string, left?: Header, right?: Header][] {
  const a = byName(left);
  const b = byName(right);
  return [...new Set([...a.keys(), ...b.keys()])].map((key) => [
    a.get(key)?.name ?? b.get(key)!.name,
    a.get(key),
    b.get(key),
  ]);
}

function byName(headers: readonly Header[]): Map<string, Header> {
  const found = new Map<string, Header>();
  for (const header of headers) {
    const key = header.name.toLowerCase();
    const old = found.get(key);
    found.set(key, old ? { ...old, value: `${old.value}, ${header.value}` } : header);
  }
  return found;
}
