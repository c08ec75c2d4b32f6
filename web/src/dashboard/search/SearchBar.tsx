import { Search, X } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import type { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { keepInList, recallList } from "@/lib/storage";
import { cx } from "@/ui/cx";
import { controlLook } from "@/ui/Field";
import { itemLook, popupLook } from "@/ui/popup";
import { type Offer, offers, termsOf, without } from "./terms";

interface SearchBarProps {
  label: string;
  value: string;
  onChange(query: string): void;
  /** What the list can be searched by. */
  fields: readonly { name: string; doc: string; values: readonly string[] }[];
  /** What the server could not understand, with its place. */
  error?: ApiError;
  /** Under which what was searched before is kept. */
  name: string;
}

/** The search of a list: what is asked for stands as chips, what is typed is completed. */
export function SearchBar({ label, value, onChange, fields, error, name }: SearchBarProps) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  useShortcuts([{ keys: "/", label: t("keys.search"), run: () => input.current?.focus() }]);
  useEffect(() => setAt(-1), []);

  const typed = termsOf(text).at(-1);
  const current = typed && typed.to === text.length ? typed.text : "";
  const before: Offer[] =
    text === ""
      ? recallList(`search.${name}`)
          .slice(0, 5)
          .map((q) => ({ insert: q, label: q, open: false }))
      : [];
  const shown = [...before, ...offers(current, fields)].slice(0, 14);
  const search = (more: string) => {
    const query = [value, more.trim()].filter(Boolean).join(" ");
    if (more.trim()) keepInList(`search.${name}`, query, 20);
    setText("");
    setOpen(false);
    setAt(-1);
    if (query !== value) onChange(query);
  };
  const take = (offer: Offer) => {
    const next = text.slice(0, text.length - current.length) + offer.insert;
    if (before.includes(offer)) {
      setText("");
      setOpen(false);
      onChange(offer.insert);
    } else if (offer.open) setText(next);
    else search(next);
    setAt(-1);
    input.current?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const chosen = open ? shown[at] : undefined;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      setOpen(true);
      setAt(
        (old) =>
          (old + (event.key === "ArrowDown" ? 1 : shown.length) + (old < 0 && event.key === "ArrowUp" ? 1 : 0)) %
          Math.max(1, shown.length),
      );
    } else if (event.key === "Enter") chosen ? take(chosen) : search(text);
    else if (event.key === "Tab" && open && current !== "" && shown[0]) take(chosen ?? shown[0]);
    else if (event.key === "Escape" && (open || text)) {
      setOpen(false);
      if (!open) setText("");
    } else if (event.key === "Backspace" && text === "" && value !== "") {
      const terms = termsOf(value);
      setText(terms.at(-1)?.text ?? "");
      onChange(without(value, terms.length - 1));
    } else return;
    event.preventDefault();
  };

  return (
    <div className="relative min-w-0 flex-1">
      <div
        className={cx(
          controlLook,
          "flex min-h-8 flex-wrap items-center gap-1 py-1 focus-within:outline-2 focus-within:outline-focus",
          error && "border-failed",
        )}
      >
        <Search aria-hidden size={14} strokeWidth={1.5} className="shrink-0 text-ink-3" />
        {termsOf(value).map((term, i) => (
          <span
            key={`${term.from} ${term.text}`}
            className="data inline-flex h-6 max-w-full items-center rounded-sm bg-sunken pl-1.5"
          >
            <span className="truncate">{term.text}</span>
            <button
              type="button"
              aria-label={t("search.remove", { term: term.text })}
              onClick={() => onChange(without(value, i))}
              className="flex size-6 items-center justify-center rounded-sm text-ink-3 hover:text-ink"
            >
              <X aria-hidden size={12} />
            </button>
          </span>
        ))}
        <input
          ref={input}
          role="combobox"
          aria-label={label}
          aria-expanded={open && shown.length > 0}
          aria-controls={list}
          aria-activedescendant={open && at >= 0 ? `${list}-${at}` : undefined}
          aria-autocomplete="list"
          aria-invalid={error ? true : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={value === "" ? t("search.hint") : undefined}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setOpen(true);
            setAt(-1);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
          className="data h-6 min-w-24 flex-1 bg-transparent outline-none"
        />
      </div>
      {error && (
        <p role="alert" className="pt-1 text-failed text-xs">
          {error.message}
        </p>
      )}
      {open && shown.length > 0 && (
        <div
          id={list}
          role="listbox"
          aria-label={t("search.fields")}
          className={cx(popupLook, "absolute top-full left-0 z-30 mt-1 max-h-80 w-[28rem]")}
        >
          {shown.map((offer, i) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the input keeps the focus and names the active option
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's
            <div
              key={offer.label}
              id={`${list}-${i}`}
              role="option"
              aria-selected={i === at}
              data-highlighted={i === at ? "" : undefined}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(offer)}
              className={cx(itemLook, "items-baseline hover:bg-sunken")}
            >
              <span className="data shrink-0">{offer.label}</span>
              {offer.doc && <span className="min-w-0 flex-1 truncate text-ink-3 text-xs">{offer.doc}</span>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
