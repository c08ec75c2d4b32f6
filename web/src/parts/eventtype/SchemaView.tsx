import { t } from "@/lib/i18n";
import { type Limit, rowsOf } from "./schema";

/** A JSON Schema as a table of its members. */
export function SchemaView({ schema, label }: { schema: unknown; label: string }) {
  const rows = rowsOf(schema);
  if (rows.length === 0) return <p className="text-ink-2">{t("type.schema.bare")}</p>;
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="w-full min-w-[30rem] border-collapse text-left">
        <thead>
          <tr className="border-line border-b text-ink-3 text-xs">
            <th className="py-1 pr-4 font-normal">{t("type.col.member")}</th>
            <th className="py-1 pr-4 font-normal">{t("type.col.kind")}</th>
            <th className="py-1 font-normal">{t("type.col.about")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path} className="border-line border-b align-baseline">
              <th scope="row" className="py-1 pr-4 font-normal" title={row.path}>
                <span className="data" style={{ paddingInlineStart: `${row.depth * 16}px` }}>
                  {row.name}
                </span>
                {row.required && <span className="ml-2 text-ink-3 text-xs">{t("type.required")}</span>}
                {row.deprecated && <span className="ml-2 text-retrying text-xs">{t("type.deprecated")}</span>}
              </th>
              <td className="data py-1 pr-4 text-ink-2">{row.type}</td>
              <td className="py-1">
                {row.description}
                {row.limits.length > 0 && (
                  <span className="block text-ink-3 text-xs">{row.limits.map(limitText).join(" · ")}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const limitText = (limit: Limit): string =>
  limit.kind === "oneOf"
    ? t("type.limit.oneOf", { values: limit.values })
    : t(`type.limit.${limit.kind}`, { value: limit.value });
