import { useEffect, useMemo, useState } from "react";
import { bytes as size } from "@/lib/format";
import { t } from "@/lib/i18n";
import { CopyButton } from "../Copy";
import { cx } from "../cx";
import { Skeleton } from "../States";
import { Time } from "../Time";
import { inBackground } from "./background";
import { type Body, readBody, shapeOf, tabsFor } from "./body";
import { HeaderTable } from "./HeaderTable";
import type { Parsed } from "./json";
import { formFields, multipartParts } from "./parts";
import type { PayloadTab, PayloadViewerProps } from "./props";
import { HexView, RawView } from "./RawView";
import { TreeView } from "./TreeView";

/** A body as it is: as a tree, as fields, as text or as bytes. Nothing in it is run or rounded. */
export function PayloadViewer(props: PayloadViewerProps) {
  const { label, bytes, state, contentType = "", encoding = "", fullSize, height = 384, actions, onFilter } = props;
  const [body, setBody] = useState<Body | null>(null);
  const [parsed, setParsed] = useState<Parsed | null>(null);
  const [own, setOwn] = useState<PayloadTab>();
  useEffect(() => {
    const stop = new AbortController();
    setBody(null);
    setParsed(null);
    if (bytes === null) return;
    void readBody(bytes, contentType, encoding).then(async (read) => {
      if (stop.signal.aborted) return;
      setBody(read);
      if (shapeOf(read, contentType) !== "json") return;
      const result = await inBackground({ kind: "parse", text: read.text }, stop.signal);
      if (!stop.signal.aborted) setParsed(result);
    });
    return () => stop.abort();
  }, [bytes, contentType, encoding]);

  const shape = body ? shapeOf(body, contentType) : "text";
  const tabs = useMemo(() => tabsFor(shape), [shape]);
  if (state === "hidden") return <Note>{t("payload.hidden")}</Note>;
  if (state === "expired")
    return (
      <Note>
        {t("payload.expired")} {props.expiredAt && <Time at={props.expiredAt} />}
      </Note>
    );
  if (!body) return bytes === null && state === undefined ? <Note>{t("payload.empty")}</Note> : <Skeleton rows={4} />;
  if (body.bytes.length === 0) return <Note>{t("payload.empty")}</Note>;
  const wanted = props.tab ?? own;
  const fault = parsed?.fault;
  const tab = wanted && tabs.includes(wanted) ? wanted : fault ? "raw" : tabs[0]!;
  const choose = (next: PayloadTab) => (props.onTab ? props.onTab(next) : setOwn(next));
  const more = (
    <>
      {actions}
      <CopyButton text={body.text} />
    </>
  );
  return (
    <section aria-label={label} className={cx("flex min-h-0 flex-col", height === "fill" && "h-full")}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-2 py-1">
        <div role="group" aria-label={t("payload.view")} className="flex gap-0.5">
          {tabs.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === tab}
              onClick={() => choose(one)}
              className={cx("h-7 rounded px-2", one === tab ? "bg-selected font-medium" : "text-ink-2 hover:bg-sunken")}
            >
              {t(`payload.${one}`)}
            </button>
          ))}
        </div>
        <span className="text-ink-3 text-xs">
          {size(body.bytes.length)}
          {body.decoded && ` · ${t("payload.decoded", { name: body.decoded })}`}
          {body.bom && ` · ${t("payload.bom")}`}
        </span>
      </div>
      {fault && <Said>{t("payload.notJson", { line: fault.line, column: fault.column })}</Said>}
      {body.undecoded && <Said>{t("payload.undecoded", { name: encoding })}</Said>}
      {fullSize !== undefined && fullSize > body.bytes.length && (
        <Said>{t("payload.truncated", { shown: size(body.bytes.length), total: size(fullSize) })}</Said>
      )}
      <div className="min-h-0 flex-1">
        {tab === "pretty" &&
          (parsed?.tree ? (
            <TreeView tree={parsed.tree} label={label} height={height} onFilter={onFilter} actions={more} />
          ) : (
            <Skeleton rows={4} />
          ))}
        {tab === "form" && <HeaderTable label={label} headers={formFields(body.text)} />}
        {tab === "parts" &&
          multipartParts(body.plain, contentType).map((part, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place
            <div key={i} className="border-line border-b py-2">
              <HeaderTable label={part.name ?? label} headers={part.headers} />
              <PayloadViewer
                label={part.name ?? label}
                bytes={part.bytes}
                contentType={part.contentType}
                height={200}
              />
            </div>
          ))}
        {tab === "raw" && <RawView text={body.text} label={label} height={height} actions={more} />}
        {tab === "hex" && <HexView bytes={body.plain} label={label} height={height} />}
      </div>
    </section>
  );
}

const Note = ({ children }: { children: React.ReactNode }) => <p className="p-4 text-base text-ink-2">{children}</p>;
const Said = ({ children }: { children: React.ReactNode }) => (
  <p className="border-line border-b bg-retrying-soft px-3 py-1 text-ink-2">{children}</p>
);
