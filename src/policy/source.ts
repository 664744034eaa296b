/** A policy file as YAML nodes with positions; collects every mistake instead of stopping at the first. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser, visit } from "yaml";
import type { Alias, CST, Node, ParsedNode, Scalar, YAMLMap, YAMLSeq } from "yaml";
import type { Diagnostic } from "../base/diagnostic.ts";

/** Largest policy file, and most bytes that its YAML aliases may stand for. */
export const MAX_POLICY_BYTES = 1_048_576;
/** Deepest nesting of a file. The YAML library has no limit of its own, and its time grows with the square of the depth. */
const MAX_NESTING = 100;
/** The YAML library quotes what it did not understand, however long. */
const MAX_MESSAGE_CHARS = 200;
/** Mistakes reported for one file; the rest is counted. */
const MAX_DIAGNOSTICS = 100;

/** A node that is no alias any more. `null`: nothing was written there. */
export type Resolved = YAMLMap | YAMLSeq | Scalar | null;
/** A node as it stands in the file. */
export type Written = Node | null | undefined;

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
  readonly entries: (map: YAMLMap, label: string) => readonly Entry[];
  readonly diagnostics: () => readonly Diagnostic[];
}

/** A value as it is quoted in an error: JSON, cut at 40 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function createReporter(file: string, lines: LineCounter) {
  const found: Diagnostic[] = [];
  let uncounted = 0;
  const at = (offset: number): Position => {
    // A file that is too large is not even split into lines.
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const add = (offset: number, text: string): void => {
    if (found.length < MAX_DIAGNOSTICS) found.push({ ...at(offset), severity: "error", text });
    else uncounted += 1;
  };
  const all = (): readonly Diagnostic[] => {
    const last = found.at(-1);
    if (uncounted === 0 || last === undefined) return found;
    return [...found, { ...last, text: `${uncounted} more errors are not shown; mend the ones above first` }];
  };
  return { add, all, at };
}

/** What each alias stands for: the nearest earlier anchor of its name, found in one walk. */
function linkAliases(root: ParsedNode): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const links = new Map<Alias, Node>();
  visit(root, {
    Alias: (_key, alias) => {
      const target = anchors.get(alias.source);
      if (target !== undefined) links.set(alias, target);
    },
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return links;
}

function startOf(node: Written): number {
  return node?.range?.[0] ?? 0;
}

/** Reads `text` as one YAML 1.2 document (core schema). Never throws: what is wrong is in `diagnostics`. */
export function readSource(file: string, text: string): Source {
  const lines = new LineCounter();
  const reporter = createReporter(file, lines);
  const { root, links } = parseText(text, lines, reporter.add);
  const reported = new Set<Node>();
  let expandedBytes = 0;

  const report = (node: Written, message: string): void => reporter.add(startOf(node), message);
  const reportOnce = (node: Node, message: string): void => {
    if (reported.has(node)) return;
    reported.add(node);
    report(node, message);
  };
  const resolve = (node: Written): Resolved | undefined => {
    if (node === null || node === undefined) return null;
    if (!isAlias(node)) return isMap(node) || isSeq(node) || isScalar(node) ? node : null;
    const target = links.get(node);
    if (target === undefined) {
      reportOnce(node, `no anchor &${node.source} stands before this alias`);
      return undefined;
    }
    const [start = 0, , end = 0] = target.range ?? [];
    if (startOf(node) >= start && startOf(node) < end) {
      reportOnce(node, `anchor &${node.source} contains itself`);
      return undefined;
    }
    expandedBytes += end - start;
    if (expandedBytes > MAX_POLICY_BYTES) {
      reportOnce(node, `aliases expand to more than ${MAX_POLICY_BYTES} bytes`);
      return undefined;
    }
    return resolve(target);
  };
  const known = new Map<YAMLMap, readonly Entry[]>();
  const entries = (map: YAMLMap, label: string): readonly Entry[] => {
    const kept = known.get(map);
    if (kept !== undefined) return kept;
    const seen = new Map<string, Written>();
    const result: Entry[] = [];
    for (const pair of map.items) {
      const keyNode = pair.key as Written;
      const key = resolve(keyNode);
      if (key === undefined) continue;
      if (!isScalar(key) || key.value === null) {
        report(keyNode ?? map, `${label}a key must be a word`);
        continue;
      }
      const word = typeof key.value === "string" ? key.value : (key.source ?? JSON.stringify(key.value));
      const first = seen.get(word);
      if (first !== undefined) {
        report(keyNode, `${label}duplicate key ${quote(word)}, first at line ${reporter.at(startOf(first)).line}`);
        continue;
      }
      seen.set(word, keyNode);
      result.push({ key: word, keyNode, value: pair.value as Written });
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

function parseText(
  text: string,
  lines: LineCounter,
  report: (offset: number, text: string) => void,
): { readonly root: Written; readonly links: ReadonlyMap<Alias, Node> } {
  const nothing = { root: null, links: new Map<Alias, Node>() };
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) {
    report(0, `the file is larger than ${MAX_POLICY_BYTES} bytes`);
    return nothing;
  }
  // Not left to the parser, which miscounts once it met a token that it did not expect.
  for (let start = 0; start >= 0; start = text.indexOf("\n", start) + 1 || -1) lines.addNewLine(start);
  const tokens = readTokens(text, report);
  if (tokens === null) return nothing;
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    // The library compares every pair of keys; entries() does it in linear time.
    uniqueKeys: false,
    prettyErrors: false,
  });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document === undefined) return nothing;
  // One token in a wrong place makes all that follow it unexpected too.
  const consequence = document.errors.findIndex(({ code }) => code === "UNEXPECTED_TOKEN");
  const problems = [...document.errors, ...document.warnings].filter(
    ({ code }, index) => code !== "UNEXPECTED_TOKEN" || index === consequence,
  );
  for (const { pos, message } of problems) {
    const [line = ""] = message.split("\n");
    report(pos[0], `not valid YAML: ${line.charAt(0).toLowerCase()}${line.slice(1, MAX_MESSAGE_CHARS)}`);
  }
  if (second !== undefined)
    report(second.range[0], "a policy file holds one YAML document; remove what stands below ---");
  const root = document.contents;
  return root === null ? nothing : { root, links: linkAliases(root) };
}

/** The file's tokens; null after reporting that it is nested too deeply. */
function readTokens(text: string, report: (offset: number, text: string) => void): readonly CST.Token[] | null {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length <= MAX_NESTING) continue;
    report(parser.offset, `nested deeper than ${MAX_NESTING}`);
    return null;
  }
  tokens.push(...parser.end());
  return tokens;
}
