import { useEffect, useRef } from "react";
import { t } from "@/lib/i18n";
import { Button } from "../Button";
import { Field, TextArea } from "../Field";
import { parseJSON } from "./json";
import type { EditorProps } from "./props";

/** A text, checked as JSON while one types. Tab goes on to the next field, as everywhere. */
export function Editor({
  label,
  labelHidden,
  hint,
  error,
  value,
  onChange,
  language = "json",
  readOnly,
  rows = 12,
  onSyntax,
}: EditorProps) {
  const fault = language === "json" && value.trim() !== "" ? parseJSON(value).fault : undefined;
  const told = useRef(onSyntax);
  told.current = onSyntax;
  const place = fault && `${fault.line}:${fault.column}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told when the place changes
  useEffect(() => {
    told.current?.(
      fault
        ? {
            line: fault.line,
            column: fault.column,
            message: t("editor.invalid", { line: fault.line, column: fault.column }),
          }
        : null,
    );
  }, [place]);
  return (
    <div className="flex flex-col items-start gap-1">
      <Field
        label={label}
        labelHidden={labelHidden}
        hint={hint}
        error={error ?? (fault && t("editor.invalid", { line: fault.line, column: fault.column }))}
        className="w-full"
      >
        <TextArea
          mono
          rows={rows}
          readOnly={readOnly}
          spellCheck={false}
          value={value}
          onChange={(event) => onChange?.(event.currentTarget.value)}
        />
      </Field>
      {language === "json" && !readOnly && (
        <Button
          look="quiet"
          className="h-7"
          disabled={fault !== undefined || value.trim() === ""}
          onClick={() => onChange?.(laidOut(value))}
        >
          {t("editor.format")}
        </Button>
      )}
    </div>
  );
}

/** JSON on lines of its own, without changing a single token. */
export function laidOut(text: string): string {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let out = "";
  let depth = 0;
  tokens.forEach((token, i) => {
    const line = () => `\n${"  ".repeat(depth)}`;
    const next = tokens[i + 1];
    if (token === "{" || token === "[") {
      depth++;
      out += token + (next === "}" || next === "]" ? "" : line());
    } else if (token === "}" || token === "]") {
      depth--;
      const empty = tokens[i - 1] === "{" || tokens[i - 1] === "[";
      out += (empty ? "" : line()) + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  });
  return out;
}
