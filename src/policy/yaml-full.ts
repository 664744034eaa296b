/** All of YAML 1.2, and words for what is wrong with a text: the library's reading. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from "yaml";
import type { CST, ParsedNode, Range } from "yaml";
import { linkAliases } from "./yaml-nodes.ts";
import type { YamlNode, YamlPair, YamlTree } from "./yaml-nodes.ts";

/** Deepest nesting of a file. The YAML library has no limit of its own, and its time grows with the square of the depth. */
const MAX_NESTING = 100;
/** The YAML library quotes what it did not understand, however long. */
const MAX_MESSAGE_CHARS = 200;

const NOTHING: YamlTree = { root: null, links: new Map() };

/** Reads `text` as one document (core schema). What is wrong is reported with its offset; never throws. */
export function readFullYaml(text: string, report: (offset: number, text: string) => void): YamlTree {
  const tokens = readTokens(text, report);
  if (tokens === null) return NOTHING;
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    // The library compares every pair of keys; the reader of entries does it in linear time.
    uniqueKeys: false,
    prettyErrors: false,
  });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (document === undefined) return NOTHING;
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
  const root = toNode(document.contents);
  return { root, links: linkAliases(root) };
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

function toNode(node: ParsedNode | null): YamlNode | null {
  if (node === null) return null;
  const [start = 0, , end = 0] = (node.range as Range | undefined) ?? [];
  if (isAlias(node)) return { kind: "alias", start, end, anchor: null, name: node.source };
  const anchor = node.anchor ?? null;
  if (isMap(node)) {
    const items = node.items.map((pair): YamlPair => ({ key: toNode(pair.key), value: toNode(pair.value) }));
    return { kind: "map", start, end, anchor, items };
  }
  if (isSeq(node)) {
    const items = node.items.map((item) => toNode(item as ParsedNode | null));
    return { kind: "seq", start, end, anchor, items };
  }
  if (!isScalar(node)) return null;
  const value: unknown = node.value;
  return { kind: "scalar", start, end, anchor, value, source: node.source ?? JSON.stringify(value) };
}
