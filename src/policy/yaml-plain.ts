/**
 * The part of YAML in which policies are written, read in one pass: block and flow collections, scalars of one line, block
 * scalars without blank lines, anchors and aliases, comments. Most of a start's time went into the library that knows all of
 * YAML, so a file is given to it only when something in it is beyond this part, or wrong. Whatever is read here is read as
 * the library would (test/policy/yaml-plain.test.ts); in doubt the answer is null.
 */
import { linkAliases } from "./yaml-nodes.ts";
import type { YamlAlias, YamlNode, YamlPair, YamlScalar, YamlTree, YamlValue } from "./yaml-nodes.ts";
import { endOfQuoted, giveUp, isBeyond, readQuotedText, resolvePlain } from "./yaml-plain-scalar.ts";

/** Printable, and no tabs, carriage returns or line ends of other scripts. */
const UNUSUAL = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ufefe\uff00-\ufffd]/;
/** Directives, the marks of documents. */
const DOCUMENT_MARK = /^(?:%|---|\.\.\.)/m;
const ANCHOR = /&([A-Za-z0-9_-]+)(?=[ \n])/y;
const ALIAS = /\*([A-Za-z0-9_-]+)(?=[ \n,\]}]|$)/y;
/** Starts no plain scalar; `?` and `:` would, before anything but a blank. */
const NO_START = /[?:,[\]{}#&*!|>'"%@`]/;
const BLOCK_PLAIN = /[^\n]*/y;
const FLOW_PLAIN = /[^\n,[\]{}]*/y;
/** Where a plain scalar ends before its line does. */
const PLAIN_END = / #|: |:$/;
const BLOCK_HEADER = /([|>])(-?) *\n/y;
const MAX_DEPTH = 50;
/** The library refuses keys that are a little longer. */
const MAX_KEY_CHARS = 1000;

/** The document in `text`, a mapping at its root; null when it takes all of YAML to read it, or to say what is wrong with it. */
export function readPlainYaml(text: string): YamlTree | null {
  if (UNUSUAL.test(text) || DOCUMENT_MARK.test(text)) return null;
  try {
    const root = readDocument(text);
    return { root, links: linkAliases(root) };
  } catch (error) {
    if (isBeyond(error)) return null;
    throw error;
  }
}

function readDocument(text: string): YamlNode {
  let at = 0;
  let depth = 0;

  const column = (): number => at - (text.lastIndexOf("\n", at - 1) + 1);
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  const isBlankAt = (index: number): boolean => index >= text.length || text[index] === " " || text[index] === "\n";
  const skipBlanks = (): void => {
    while (text[at] === " ") at += 1;
  };
  const skipComment = (): void => {
    const end = text.indexOf("\n", at);
    at = end < 0 ? text.length : end;
  };
  /** Moves to the next token; true when it is on another line. */
  const skipTrivia = (): boolean => {
    let crossed = false;
    for (;;) {
      skipBlanks();
      if (text[at] === "\n") {
        crossed = true;
        at += 1;
      } else if (text[at] === "#" && (at === 0 || isBlankAt(at - 1))) {
        skipComment();
      } else {
        return crossed;
      }
    }
  };
  /** Whether a `-` that begins an entry of a list stands here. */
  const isDash = (): boolean => text[at] === "-" && isBlankAt(at + 1);
  const nested = <Node>(read: () => Node): Node => {
    depth += 1;
    if (depth > MAX_DEPTH) giveUp();
    const node = read();
    depth -= 1;
    return node;
  };

  const readQuoted = (anchor: string | null): YamlScalar => {
    const start = at;
    at = endOfQuoted(text, start);
    const raw = text.slice(start, at);
    if (raw.includes("\n")) giveUp();
    const value = readQuotedText(raw);
    return { kind: "scalar", start, end: at, anchor, value, source: value };
  };
  const readPlain = (pattern: RegExp, anchor: string | null): YamlScalar => {
    const start = at;
    if (NO_START.test(text[at] ?? "#") || isDash()) giveUp();
    const line = match(pattern)?.[0] ?? "";
    at = start + (PLAIN_END.exec(line)?.index ?? line.length);
    while (text[at - 1] === " ") at -= 1;
    const source = text.slice(start, at);
    if (source === "" || source === "-") giveUp();
    return { kind: "scalar", start, end: at, anchor, value: resolvePlain(source), source };
  };
  const readAlias = (): YamlAlias => {
    const start = at;
    const name = match(ALIAS)?.[1] ?? giveUp();
    return { kind: "alias", start, end: at, anchor: null, name };
  };
  const readScalar = (pattern: RegExp, anchor: string | null): YamlScalar =>
    text[at] === '"' || text[at] === "'" ? readQuoted(anchor) : readPlain(pattern, anchor);

  /** The name of an anchor that stands here, if one does. */
  const readAnchor = (): string | null => (text[at] === "&" ? (match(ANCHOR)?.[1] ?? giveUp()) : null);

  /** Tokens of a flow collection may go on in lines that are indented more than what is around it. */
  const skipFlowTrivia = (indent: number): boolean => {
    const start = at;
    const crossed = skipTrivia();
    if (crossed && (column() <= indent || text.slice(start, at).includes("\n#"))) giveUp();
    return crossed;
  };
  const readFlow = (indent: number, anchor: string | null): YamlValue =>
    nested(() => (text[at] === "[" ? readFlowSeq(indent, anchor) : readFlowMap(indent, anchor)));
  const readFlowNode = (indent: number): YamlNode => {
    if (text[at] === "*") return readAlias();
    const anchor = readAnchor();
    if (anchor !== null && skipFlowTrivia(indent)) giveUp();
    const node = text[at] === "[" || text[at] === "{" ? readFlow(indent, anchor) : readScalar(FLOW_PLAIN, anchor);
    if (anchor === null) return node;
    skipFlowTrivia(indent);
    return { ...node, end: at };
  };
  /** Reads entries up to `close`; a comma may stand behind the last one. */
  const readFlowItems = (close: string, indent: number, readItem: () => void): void => {
    at += 1;
    skipFlowTrivia(indent);
    while (text[at] !== close) {
      readItem();
      skipFlowTrivia(indent);
      if (text[at] === ",") at += 1;
      else if (text[at] !== close) giveUp();
      skipFlowTrivia(indent);
    }
    at += 1;
  };
  const readFlowSeq = (indent: number, anchor: string | null): YamlValue => {
    const start = at;
    const items: YamlNode[] = [];
    readFlowItems("]", indent, () => void items.push(readFlowNode(indent)));
    return { kind: "seq", start, end: at, anchor, items };
  };
  const readFlowMap = (indent: number, anchor: string | null): YamlValue => {
    const start = at;
    const items: YamlPair[] = [];
    readFlowItems("}", indent, () => {
      const key = readKey(FLOW_PLAIN);
      skipFlowTrivia(indent);
      items.push({ key, value: readFlowNode(indent) });
    });
    return { kind: "map", start, end: at, anchor, items };
  };
  /** A key on one line, and its colon. */
  const readKey = (pattern: RegExp): YamlScalar => {
    const isQuoted = text[at] === '"' || text[at] === "'";
    const key = readScalar(pattern, null);
    // As in JSON: `"key":value`.
    const isTight = isQuoted && pattern === FLOW_PLAIN && text[at] === ":";
    skipBlanks();
    if (text[at] !== ":" || !(isTight || isBlankAt(at + 1)) || key.end - key.start > MAX_KEY_CHARS) giveUp();
    at += 1;
    return key;
  };

  /** A literal or folded scalar, its lines indented more than `indent` and all alike. */
  const readBlockScalar = (indent: number, anchor: string | null): YamlScalar => {
    const start = at;
    const [, style = "", chomp = ""] = match(BLOCK_HEADER) ?? giveUp();
    const lines: string[] = [];
    let margin = -1;
    while (at < text.length) {
      const end = text.indexOf("\n", at);
      if (end < 0) giveUp();
      const line = text.slice(at, end);
      const width = line.search(/[^ ]/);
      if (line === "") break;
      if (width < 0) giveUp();
      if (margin < 0) margin = width;
      if (width < margin) break;
      if (width > margin || line.endsWith(" ")) giveUp();
      lines.push(line.slice(margin));
      at = end + 1;
    }
    if (lines.length === 0 || margin <= indent) giveUp();
    const end = at;
    const source = lines.join(style === "|" ? "\n" : " ") + (chomp === "-" ? "" : "\n");
    skipTrivia();
    // A blank line is the scalar's own when more of it follows.
    if (at < text.length && column() >= margin) giveUp();
    return { kind: "scalar", start, end, anchor, value: source, source };
  };

  /** What stands behind `key:` or `- ` on the same line, up to the end of that line. */
  const readInline = (indent: number, anchor: string | null): YamlNode => {
    const mark = text[at] ?? "";
    if (mark === "|" || mark === ">") return readBlockScalar(indent, anchor);
    if (mark === "*" && anchor !== null) giveUp();
    const node =
      mark === "*"
        ? readAlias()
        : mark === "[" || mark === "{"
          ? readFlow(indent, anchor)
          : readScalar(BLOCK_PLAIN, anchor);
    if (!skipTrivia() && at < text.length) giveUp();
    return anchor === null ? node : { ...node, end: at };
  };
  /** A value behind a colon or a dash; `indent` is that of the collection that holds it. */
  const readValue = (indent: number, isEntry: boolean): YamlNode => {
    skipBlanks();
    const start = at;
    const anchor = readAnchor();
    const crossed = skipTrivia();
    const next = column();
    const isOver = at >= text.length || next < indent || (next === indent && (isEntry || !isDash()));
    if (crossed && !isOver) return nested(() => readBlock(next, anchor, indent));
    if (crossed || isOver) {
      if (anchor !== null || isEntry) giveUp();
      return { kind: "scalar", start, end: start, anchor, value: null, source: "" };
    }
    // A collection may begin behind the dash: its indentation is where it stands.
    if (isEntry && anchor === null && (isDash() || isKeyAhead())) return nested(() => readBlock(next, null, indent));
    return readInline(indent, anchor);
  };
  const isKeyAhead = (): boolean => {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    if (line.startsWith("[") || line.startsWith("{")) return false;
    if (!line.startsWith('"') && !line.startsWith("'")) return /: |:$/.test(line.replace(/ #.*/, ""));
    const start = at;
    readQuoted(null);
    skipBlanks();
    const isKey = text[at] === ":";
    at = start;
    return isKey;
  };
  /** A block collection, or a value on a line of its own within one that is indented by `outer`. */
  const readBlock = (indent: number, anchor: string | null, outer: number): YamlNode => {
    if (isDash()) return readBlockSeq(indent, anchor);
    if (isKeyAhead()) return readBlockMap(indent, anchor);
    return /["'*[{]/.test(text[at] ?? "") ? readInline(outer, anchor) : giveUp();
  };
  const readBlockSeq = (indent: number, anchor: string | null): YamlNode => {
    const start = at;
    const items: YamlNode[] = [];
    while (at < text.length && column() === indent && isDash()) {
      at += 1;
      items.push(readValue(indent, true));
    }
    if (at < text.length && column() > indent) giveUp();
    return { kind: "seq", start, end: at, anchor, items };
  };
  const readBlockMap = (indent: number, anchor: string | null): YamlNode => {
    const start = at;
    const items: YamlPair[] = [];
    while (at < text.length && column() === indent && !isDash()) {
      const key = readKey(BLOCK_PLAIN);
      items.push({ key, value: readValue(indent, false) });
    }
    if (at < text.length && column() > indent) giveUp();
    return { kind: "map", start, end: at, anchor, items };
  };

  skipTrivia();
  if (at >= text.length || column() !== 0 || isDash() || !isKeyAhead()) giveUp();
  const root = readBlockMap(0, null);
  if (at < text.length) giveUp();
  return root;
}
