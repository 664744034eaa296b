/** Policy files → {@link Policy}, or every mistake in them at once. Pure: the texts are given. */
import { sortDiagnostics } from "../base/diagnostic.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { createGlob } from "../base/glob.ts";
import { sha256Hex } from "../base/ids.ts";
import { createBlock, recordedConditions } from "./condition.ts";
import type { Condition } from "./condition.ts";
import { readBlock } from "./conditions.ts";
import { nameGlob } from "./kinds.ts";
import type { Alias, Policy, PolicyTest, Rule } from "./policy.ts";
import { unknownKey } from "./containers.ts";
import { scalar, text } from "./readers.ts";
import { quote, readPlainSource, readSource } from "./source.ts";
import type { Entry, Position, Resolved, Source, Written } from "./source.ts";
import { readTest } from "./tests.ts";
import { modelName, readThen } from "./then-fields.ts";
import { overDefaults } from "./then.ts";
import type { Then } from "./then.ts";
import { isMap, isScalar, isSeq } from "./yaml-nodes.ts";

/** One file of a policy. */
export interface PolicyFile {
  /** As the operator named it: it leads every diagnostic. */
  readonly name: string;
  readonly text: string;
}

export type PolicyResult =
  { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Names of rules: they are metric labels. */
export const RULE_NAME = /^[a-z0-9_-]{1,64}$/;

const ALIAS = /^[A-Za-z0-9._:/@+*?-]{1,256}$/;
const FILE_KEYS = ["version", "aliases", "defaults", "rules", "tests"] as const;
const RULE_KEYS = ["name", "when", "then"] as const;

const ruleName = text("a name of 1 to 64 characters from a-z 0-9 _ -", 64, RULE_NAME);
const version = scalar("1, the only version", { enum: [1] }, (value) => (value === 1 ? value : undefined));

/** A rule as read, before `defaults` are known. */
interface ReadRule extends Omit<Rule, "then"> {
  readonly then: Then;
}

/** A name where it is given. */
interface Given {
  readonly word: string;
  readonly position: Position;
}

interface ReadFile {
  readonly source: Source;
  readonly aliases: readonly Alias[];
  readonly defaults: { readonly then: Then; readonly position: Position } | null;
  readonly rules: readonly ReadRule[];
  readonly tests: readonly PolicyTest[];
  /** Names of rules and tests, also of those with mistakes. */
  readonly ruleNames: readonly Given[];
  readonly testNames: readonly Given[];
}

/** Reads `files` as one policy: rules in the order of the files; names unique over all, `defaults` in one of them. */
export function parsePolicy(files: readonly PolicyFile[]): PolicyResult {
  const read = files.map(readFile);
  const diagnostics = [...read.flatMap((file) => file.source.diagnostics()), ...conflicts(read)];
  if (diagnostics.length > 0) return { ok: false, diagnostics: sortDiagnostics(diagnostics) };
  const given = read.find((file) => file.defaults !== null)?.defaults ?? null;
  const defaults = given?.then ?? {};
  const aliases = read.flatMap((file) => file.aliases);
  const rules = read.flatMap((file) =>
    file.rules.map((rule) => ({ ...rule, then: overDefaults(defaults, rule.then) })),
  );
  const hashFull = sha256Hex(files.map((file) => file.text).join(""));
  return {
    ok: true,
    policy: {
      hash12: hashFull.slice(0, 12),
      hashFull,
      files: files.map((file) => file.name),
      aliases,
      resolveAlias: createAliasLookup(aliases),
      defaults,
      defaultsPosition: given?.position ?? null,
      rules,
      tests: read.flatMap((file) => file.tests),
      recorded: recordedOf(rules),
    },
  };
}

/** What is said twice over several files, or twice in one. */
function conflicts(files: readonly ReadFile[]): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const once = (items: readonly Given[], what: string): void => {
    const seen = new Map<string, Position>();
    for (const { word, position } of items) {
      const first = seen.get(word);
      if (first === undefined) seen.set(word, position);
      else {
        const where = `first at ${first.file}:${first.line}`;
        found.push({
          ...position,
          severity: "error",
          text: `${what}${word === "" ? "" : ` "${word}"`} is given twice, ${where}`,
        });
      }
    }
  };
  once(
    files.flatMap((file) => file.ruleNames),
    "the rule name",
  );
  once(
    files.flatMap((file) => file.testNames),
    "the test name",
  );
  once(
    files.flatMap((file) => file.aliases.map((alias) => ({ word: alias.pattern, position: alias.position }))),
    "the alias",
  );
  once(
    files.flatMap((file) => (file.defaults === null ? [] : [{ word: "", position: file.defaults.position }])),
    "defaults",
  );
  return found;
}

function createAliasLookup(aliases: readonly Alias[]): (name: string) => string {
  if (aliases.length === 0) return (name) => name;
  const exact = new Map(
    aliases.filter(({ pattern }) => !/[*?]/.test(pattern)).map(({ pattern, model }) => [pattern, model]),
  );
  const globs = aliases
    .filter(({ pattern }) => /[*?]/.test(pattern))
    .map(({ pattern, model }) => ({ matches: createGlob(pattern), model }));
  return (name) => exact.get(name) ?? globs.find(({ matches }) => matches(name))?.model ?? name;
}

/** Reads a file as plain YAML if it can be; the words for its mistakes come from a reading by all of YAML. */
function readFile({ name, text }: PolicyFile): ReadFile {
  const plain = readPlainSource(name, text);
  const read = plain === null ? null : readRoot(plain);
  return read === null || read.source.diagnostics().length > 0 ? readRoot(readSource(name, text)) : read;
}

function readRoot(source: Source): ReadFile {
  const nothing: ReadFile = { source, aliases: [], defaults: null, rules: [], tests: [], ruleNames: [], testNames: [] };
  const { root } = source;
  if (!isMap(root)) {
    if (source.diagnostics().length === 0) {
      const empty = root === null || (isScalar(root) && root.value === null);
      source.report(root, empty ? "the file is empty; a policy without rules is `rules: []`" : "expected a mapping");
    }
    return nothing;
  }
  const entries = new Map<string, Entry>();
  for (const entry of source.entries(root, "")) {
    if (FILE_KEYS.some((key) => key === entry.key)) entries.set(entry.key, entry);
    else source.report(entry.keyNode, unknownKey("key", entry.key, FILE_KEYS));
  }
  const value = (key: (typeof FILE_KEYS)[number]): Written => entries.get(key)?.value;
  if (entries.has("version")) version.read(source, value("version"), "version");
  return {
    source,
    aliases: readAliases(source, value("aliases")),
    defaults: readDefaults(source, entries.get("defaults")),
    rules: readItems(source, value("rules"), "rules", readRule),
    tests: readItems(source, value("tests"), "tests", readTest),
    ruleNames: readNames(source, value("rules")),
    testNames: readNames(source, value("tests")),
  };
}

/** The names of a list's entries that have one; to be called when the entries have been read and their mistakes reported. */
function readNames(source: Source, node: Written): readonly Given[] {
  const list = source.resolve(node);
  if (!isSeq(list)) return [];
  return list.items.flatMap((item): readonly Given[] => {
    const entry = source.resolve(item);
    const name = isMap(entry) ? source.entries(entry, "").find(({ key }) => key === "name") : undefined;
    const word = source.resolve(name?.value);
    return isScalar(word) && typeof word.value === "string"
      ? [{ word: word.value, position: source.position(name?.value) }]
      : [];
  });
}

function isNothing(resolved: Resolved): boolean {
  return resolved === null || (isScalar(resolved) && resolved.value === null);
}

function isEmpty(resolved: Resolved): boolean {
  return isNothing(resolved) || (isMap(resolved) && resolved.items.length === 0);
}

/** Reads a list; nothing at all is an empty one. */
function readItems<Item>(
  source: Source,
  node: Written,
  label: string,
  read: (source: Source, node: Written, index: number) => Item | undefined,
): readonly Item[] {
  const resolved = source.resolve(node);
  if (resolved === undefined || isNothing(resolved)) return [];
  if (!isSeq(resolved)) {
    source.report(node, `${label}: expected a list`);
    return [];
  }
  return resolved.items.map((item, index) => read(source, item, index)).filter((item) => item !== undefined);
}

function readAliases(source: Source, node: Written): readonly Alias[] {
  const resolved = source.resolve(node);
  if (resolved === undefined || isNothing(resolved)) return [];
  if (!isMap(resolved)) {
    source.report(node, "aliases: expected a mapping from a name or glob to a model");
    return [];
  }
  return source.entries(resolved, "aliases: ").flatMap(({ key, keyNode, value }) => {
    if (!ALIAS.test(key)) source.report(keyNode, `aliases: expected ${nameGlob.expects}, found ${quote(key)}`);
    const model = modelName.read(source, value, `aliases: ${key.slice(0, 40)}`);
    return model === undefined ? [] : [{ pattern: key, model, position: source.position(keyNode) }];
  });
}

function readDefaults(source: Source, entry: Entry | undefined): ReadFile["defaults"] {
  if (entry === undefined) return null;
  const resolved = source.resolve(entry.value);
  if (resolved === undefined || isEmpty(resolved)) return null;
  const then = readThen(source, entry.value, "defaults");
  return then === undefined ? null : { then, position: source.position(entry.keyNode) };
}

function readRule(source: Source, node: Written, index: number): ReadRule | undefined {
  const numbered = `rule ${index + 1}`;
  const resolved = source.resolve(node);
  if (resolved === undefined) return undefined;
  if (!isMap(resolved)) {
    source.report(node, `${numbered}: expected a mapping of ${RULE_KEYS.join(", ")}`);
    return undefined;
  }
  const entries = new Map(source.entries(resolved, `${numbered}: `).map((entry) => [entry.key, entry]));
  const nameEntry = entries.get("name");
  if (nameEntry === undefined) source.report(node, `${numbered}: name is missing`);
  const name = nameEntry === undefined ? undefined : ruleName.read(source, nameEntry.value, `${numbered}: name`);
  const label = name === undefined ? numbered : `rule ${name}`;
  for (const { key, keyNode } of entries.values()) {
    if (!RULE_KEYS.some((known) => known === key))
      source.report(keyNode, `${label}: ${unknownKey("key", key, RULE_KEYS)}`);
  }
  const whenEntry = entries.get("when");
  const when = whenEntry === undefined ? createBlock([]) : readBlock(source, whenEntry.value, label, name ?? "");
  const thenEntry = entries.get("then");
  const then = thenEntry === undefined ? undefined : readThenOfRule(source, thenEntry, label);
  if (thenEntry === undefined) source.report(node, `${label}: then is missing; say what the rule does`);
  if (name === undefined || when === undefined || then === undefined) return undefined;
  return { name, when, then, position: source.position(nameEntry?.value) };
}

function readThenOfRule(source: Source, entry: Entry, label: string): Then | undefined {
  const resolved = source.resolve(entry.value);
  if (resolved === undefined) return undefined;
  if (!isEmpty(resolved)) return readThen(source, entry.value, label);
  source.report(entry.keyNode, `${label}: then is empty; say what the rule does`);
  return undefined;
}

/** The conditions of `rules` whose outcomes the ledger keeps, each once. */
function recordedOf(rules: readonly Rule[]): readonly Condition[] {
  const byKey = new Map(
    rules.flatMap((rule) => recordedConditions(rule.when).map((condition) => [condition.key, condition])),
  );
  return [...byKey.values()];
}
