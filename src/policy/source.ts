/** A policy file as YAML nodes with positions; collects every mistake instead of stopping at the first. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type * as FullYaml from "./yaml-full.ts";
import { isScalar } from "./yaml-nodes.ts";
import type { YamlMap, YamlNode, YamlTree, YamlValue } from "./yaml-nodes.ts";
import { readPlainYaml } from "./yaml-plain.ts";

/** Largest policy file, and most bytes that its YAML aliases may stand for. */
export const MAX_POLICY_BYTES = 1_048_576;
/** Mistakes reported for one file; the rest is counted. */
const MAX_DIAGNOSTICS = 100;

/** A node that is no alias any more. `null`: nothing was written there. */
export type Resolved = YamlValue | null;
/** A node as it stands in the file. */
export type Written = YamlNode | null | undefined;

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** One entry of a mapping: its key's text, where the key stands, and its value. */
export interface Entry {
  readonly key: string;
  readonly keyNode: Written;
  readonly value: Written;
}

export interface Source {
  readonly file: string;
  readonly root: Resolved;
  /** Adds an error at the start of `node`, or of the file. */
  readonly report: (node: Written, text: string) => void;
  readonly position: (node: Written) => Position;
  /** Follows an alias; reports (once) and returns undefined when it leads nowhere, into itself, or the file expands too far. */
  readonly resolve: (node: Written) => Resolved | undefined;
  /** Entries in order; reports keys that are no scalars and keys that occur twice (only the first is returned). */
  readonly entries: (map: YamlMap, label: string) => readonly Entry[];
  readonly diagnostics: () => readonly Diagnostic[];
}

/** A value as it is quoted in an error: JSON, cut at 40 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** Offsets at which the lines of `text` begin. */
function findLines(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The index of the line, from 0, in which `offset` lies. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}

interface Reporter {
  readonly add: (offset: number, text: string) => void;
  readonly all: () => readonly Diagnostic[];
  readonly at: (offset: number) => Position;
}

function createReporter(file: string, text: string): Reporter {
  const found: Diagnostic[] = [];
  let uncounted = 0;
  let starts: readonly number[] | null = null;
  const at = (offset: number): Position => {
    starts ??= findLines(text);
    const line = lineOf(starts, offset);
    return { file, line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
  const add = (offset: number, message: string): void => {
    if (found.length < MAX_DIAGNOSTICS) found.push({ ...at(offset), severity: "error", text: message });
    else uncounted += 1;
  };
  const all = (): readonly Diagnostic[] => {
    const last = found.at(-1);
    if (uncounted === 0 || last === undefined) return found;
    return [...found, { ...last, text: `${uncounted} more errors are not shown; mend the ones above first` }];
  };
  return { add, all, at };
}

function startOf(node: Written): number {
  return node?.start ?? 0;
}

/** Reads `text` as one YAML 1.2 document (core schema). Never throws: what is wrong is in `diagnostics`. */
export function readSource(file: string, text: string): Source {
  const reporter = createReporter(file, text);
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    reporter.add(0, `the file is larger than ${MAX_POLICY_BYTES} bytes`);
    return openSource(file, reporter, { root: null, links: new Map() });
  }
  return openSource(file, reporter, loadFullYaml().readFullYaml(text, reporter.add));
}

/** The same for a file that is plain YAML, much faster; null for any other. */
export function readPlainSource(file: string, text: string): Source | null {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) return null;
  const tree = readPlainYaml(text);
  return tree === null ? null : openSource(file, createReporter(file, text), tree);
}

/** Loaded when a file needs it: a start waits for no library that it does not use. Not `import()`, because reading is synchronous. */
function loadFullYaml(): typeof FullYaml {
  return require("./yaml-full.ts") as typeof FullYaml;
}

function openSource(file: string, reporter: Reporter, { root, links }: YamlTree): Source {
  const reported = new Set<YamlNode>();
  let expandedBytes = 0;

  const report = (node: Written, message: string): void => reporter.add(startOf(node), message);
  const reportOnce = (node: YamlNode, message: string): void => {
    if (reported.has(node)) return;
    reported.add(node);
    report(node, message);
  };
  const resolve = (node: Written): Resolved | undefined => {
    if (node === null || node === undefined) return null;
    if (node.kind !== "alias") return node;
    const target = links.get(node);
    if (target === undefined) {
      reportOnce(node, `no anchor &${node.name} stands before this alias`);
      return undefined;
    }
    const { start, end } = target;
    if (node.start >= start && node.start < end) {
      reportOnce(node, `anchor &${node.name} contains itself`);
      return undefined;
    }
    expandedBytes += end - start;
    if (expandedBytes > MAX_POLICY_BYTES) {
      reportOnce(node, `aliases expand to more than ${MAX_POLICY_BYTES} bytes`);
      return undefined;
    }
    return resolve(target);
  };
  const known = new Map<YamlMap, readonly Entry[]>();
  const entries = (map: YamlMap, label: string): readonly Entry[] => {
    const kept = known.get(map);
    if (kept !== undefined) return kept;
    const seen = new Map<string, Written>();
    const result: Entry[] = [];
    for (const pair of map.items) {
      const keyNode = pair.key;
      const key = resolve(keyNode);
      if (key === undefined) continue;
      if (!isScalar(key) || key.value === null) {
        report(keyNode ?? map, `${label}a key must be a word`);
        continue;
      }
      const word = typeof key.value === "string" ? key.value : key.source;
      const first = seen.get(word);
      if (first !== undefined) {
        report(keyNode, `${label}duplicate key ${quote(word)}, first at line ${reporter.at(startOf(first)).line}`);
        continue;
      }
      seen.set(word, keyNode);
      result.push({ key: word, keyNode, value: pair.value });
    }
    known.set(map, result);
    return result;
  };
  return {
    file,
    root: resolve(root) ?? null,
    report,
    position: (node) => reporter.at(startOf(node)),
    resolve,
    entries,
    diagnostics: reporter.all,
  };
}
