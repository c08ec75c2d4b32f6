import { Copy, Filter } from "lucide-react";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { Button } from "../Button";
import { copyText } from "../Copy";
import { Menu, MenuItem } from "../Menu";
import type { Tree } from "./json";
import type { JSONPlace } from "./props";
import { isContainer, jqPath, jsonPath, kindOf, plainPath, segmentsOf, textOf } from "./tree";

interface TreePlaceProps {
  tree: Tree;
  node: number;
  onFilter?(place: JSONPlace): void;
}

const shown = 20_000;

/** The place one is at: its path, its whole value, and what can be done with them. */
export function TreePlace({ tree, node, onFilter }: TreePlaceProps) {
  const [open, setOpen] = useState(false);
  const [copied, setCopied] = useState(false);
  const path = segmentsOf(tree, node);
  const copy = (text: string) => void copyText(text).then(() => setCopied(true));
  const scalar = !isContainer(tree, node);
  const value = scalar ? textOf(tree, node) : "";
  const long = value.length > 60 || value.includes("\n");
  return (
    <div className="shrink-0 border-line border-t">
      {open && (
        <pre className="data max-h-40 overflow-auto whitespace-pre-wrap break-all border-line border-b bg-sunken px-3 py-1.5">
          {value.slice(0, shown)}
          {value.length > shown && `\n… ${t("payload.characters", { n: value.length })}`}
        </pre>
      )}
      <div className="flex min-h-9 flex-wrap items-center gap-x-1 px-2 py-1">
        <code className="data min-w-0 flex-1 basis-40 truncate px-1 text-ink-2">{jsonPath(path)}</code>
        <span role="status" className="sr-only">
          {copied && t("do.copied")}
        </span>
        {long && (
          <Button look="quiet" className="h-7 px-2" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("payload.hideValue") : t("payload.showValue")}
          </Button>
        )}
        {onFilter && scalar && (
          <Button
            look="quiet"
            icon={Filter}
            className="h-7 px-2"
            onClick={() =>
              onFilter({ path: plainPath(path), jsonPath: jsonPath(path), kind: kindOf(tree, node), value })
            }
          >
            {t("payload.filterBy")}
          </Button>
        )}
        <Menu
          trigger={
            <Button look="quiet" icon={Copy} className="h-7 px-2">
              {copied ? t("do.copied") : t("do.copy")}
            </Button>
          }
        >
          <MenuItem onSelect={() => copy(textOf(tree, node))}>{t("payload.copyValue")}</MenuItem>
          <MenuItem onSelect={() => copy(plainPath(path))} hint={<Hint text={plainPath(path)} />}>
            {t("payload.copyPath")}
          </MenuItem>
          <MenuItem onSelect={() => copy(jsonPath(path))} hint={<Hint text={jsonPath(path)} />}>
            JSONPath
          </MenuItem>
          <MenuItem onSelect={() => copy(jqPath(path))} hint={<Hint text={jqPath(path)} />}>
            jq
          </MenuItem>
        </Menu>
      </div>
    </div>
  );
}

const Hint = ({ text }: { text: string }) => (
  <span className="data inline-block max-w-44 truncate align-bottom">{text}</span>
);
