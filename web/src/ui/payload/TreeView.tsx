import { ChevronDown, ChevronRight, ChevronsDownUp, ChevronsUpDown } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useId, useMemo, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import { IconButton } from "../Button";
import { copyText } from "../Copy";
import { cx } from "../cx";
import type { Tree } from "./json";
import { Lines, type LinesHandle } from "./Lines";
import type { JSONPlace } from "./props";
import { Marked, SearchField, useFinding } from "./Search";
import { Toolbar } from "./Toolbar";
import { TreePlace } from "./TreePlace";
import {
  findNodes,
  firstFolds,
  foldFrom,
  isContainer,
  keyOf,
  kindOf,
  openRows,
  reveal,
  rowOf,
  sourceOf,
  textOf,
} from "./tree";
import { stepIn } from "./treekeys";

interface TreeViewProps {
  tree: Tree;
  label: string;
  height: number | "fill";
  onFilter?(place: JSONPlace): void;
  actions: ReactNode;
}

/** A JSON document as a tree that is folded, searched and walked by keys. */
export function TreeView({ tree, label, height, onFilter, actions }: TreeViewProps) {
  const id = useId();
  const lines = useRef<LinesHandle>(null);
  const [folded, setFolded] = useState(() => firstFolds(tree));
  const [active, setActive] = useState(0);
  const rows = useMemo(() => openRows(tree, folded), [tree, folded]);

  const show = useCallback(
    (node: number) => {
      setActive(node);
      setFolded((old) => {
        const next = old.slice();
        reveal(tree, next, node);
        // The rows are known only after this draw.
        requestAnimationFrame(() => lines.current?.show(rowOf(openRows(tree, next), node)));
        return next;
      });
    },
    [tree],
  );
  const finding = useFinding(
    useCallback((wanted: string) => findNodes(tree, wanted), [tree]),
    show,
  );

  const toggle = (node: number) => {
    const next = folded.slice();
    next[node] = folded[node] ? 0 : 1;
    setFolded(next);
  };
  const foldAll = (deep: number) => {
    const next = foldFrom(tree, deep);
    setFolded(next);
    let node = active;
    while (tree.parents[node]! >= 0 && next[tree.parents[node]!]) node = tree.parents[node]!;
    setActive(node);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key === "c" && String(getSelection()) === "") void copyText(textOf(tree, active));
      return;
    }
    const step = stepIn(tree, rows, folded, active, event.key);
    if (!step) return;
    event.preventDefault();
    if (step.toggle) toggle(active);
    else {
      setActive(step.node);
      lines.current?.show(rowOf(rows, step.node));
    }
  };

  return (
    <div className="flex h-full min-h-0 flex-col">
      <Toolbar actions={actions}>
        <SearchField finding={finding} label={t("payload.search")} />
        <IconButton icon={ChevronsDownUp} label={t("payload.foldAll")} onClick={() => foldAll(1)} />
        <IconButton
          icon={ChevronsUpDown}
          label={t("payload.unfoldAll")}
          onClick={() => setFolded(new Uint8Array(tree.count))}
        />
      </Toolbar>
      <Lines
        handle={lines}
        count={rows.length}
        height={height}
        role="tree"
        aria-label={label}
        tabIndex={0}
        aria-activedescendant={`${id}-${active}`}
        onKeyDown={onKeyDown}
        className="group py-1"
        row={(i) => {
          const node = rows[i]!;
          return (
            <TreeRow
              key={node}
              id={`${id}-${node}`}
              tree={tree}
              node={node}
              folded={folded[node] === 1}
              active={node === active}
              wanted={finding.wanted}
              onPick={() => {
                setActive(node);
                if (tree.sizes[node]! > 0) toggle(node);
              }}
            />
          );
        }}
      />
      <TreePlace key={active} tree={tree} node={active} onFilter={onFilter} />
    </div>
  );
}

interface TreeRowProps {
  id: string;
  tree: Tree;
  node: number;
  folded: boolean;
  active: boolean;
  wanted: string;
  onPick(): void;
}

// Deeper levels are drawn no further to the right.
const deepest = 24;
const longest = 400;

function TreeRow({ id, tree, node, folded, active, wanted, onPick }: TreeRowProps) {
  const key = keyOf(tree, node);
  const filled = tree.sizes[node]! > 0;
  const parent = tree.parents[node]!;
  const Chevron = folded ? ChevronRight : ChevronDown;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys act on the tree, which has the focus
    <div
      id={id}
      role="treeitem"
      tabIndex={-1}
      aria-level={tree.depths[node]! + 1}
      aria-expanded={filled ? !folded : undefined}
      aria-selected={active}
      aria-setsize={parent < 0 ? 1 : tree.sizes[parent]}
      aria-posinset={tree.ordinals[node]! + 1}
      onClick={onPick}
      className={cx(
        "data flex h-5 items-center whitespace-pre pr-3 leading-5",
        active ? "bg-selected group-focus-visible:shadow-[inset_2px_0_0_var(--focus)]" : "hover:bg-sunken",
      )}
      style={{ paddingLeft: 8 + Math.min(tree.depths[node]!, deepest) * 14 }}
    >
      <span aria-hidden className="flex w-4 shrink-0 text-ink-3">
        {filled && <Chevron size={14} strokeWidth={1.5} />}
      </span>
      {key !== null && (
        <span className="font-medium text-ink">
          <Marked text={key === "" ? '""' : key} wanted={wanted} />
          <span className="font-normal text-ink-3">: </span>
        </span>
      )}
      {key === null && parent >= 0 && <span className="text-ink-3">{tree.ordinals[node]}: </span>}
      {isContainer(tree, node) ? (
        <Container tree={tree} node={node} />
      ) : (
        <Scalar tree={tree} node={node} wanted={wanted} />
      )}
    </div>
  );
}

function Container({ tree, node }: { tree: Tree; node: number }) {
  const n = tree.sizes[node]!;
  const isObject = tree.kinds[node] === 0;
  return (
    <span className="text-ink-3">
      {isObject ? "{" : "["}
      {n > 0 && <span className="font-sans"> {isObject ? t("payload.keys", { n }) : t("payload.items", { n })} </span>}
      {isObject ? "}" : "]"}
    </span>
  );
}

function Scalar({ tree, node, wanted }: { tree: Tree; node: number; wanted: string }) {
  const source = sourceOf(tree, node);
  const cut = source.length > longest;
  const isText = kindOf(tree, node) === "string";
  return (
    <span className={isText ? "text-ink-2" : "text-delivered"}>
      <Marked text={cut ? source.slice(0, longest) : source} wanted={wanted} />
      {cut && <span className="text-ink-3">… {t("payload.characters", { n: source.length })}</span>}
    </span>
  );
}
