/** The table of keys as other files: the commented arouter.toml and its JSON Schema. */
import type { JsonObject } from "../base/json.ts";
import { SCHEMA } from "./schema.ts";
import type { Fields, SchemaNode } from "./section.ts";

/** What the commented file is written for. */
export interface SampleOptions {
  /** Path or URL of the JSON Schema, as seen from the file. */
  readonly schema: string;
  /** `router.policy_file`. */
  readonly policyFile: string;
}

/** An arouter.toml with every key, its default and what it does, commented out but for the policy. */
export function renderSample(options: SampleOptions): string {
  const lines = [
    `#:schema ${options.schema}`,
    "# ARouter's configuration. What is commented out is the default.",
    "# Keys come from OPENAI_API_KEY and ANTHROPIC_API_KEY when they are not given here.",
    '# Durations: "250ms", "2s", "5m", "1h". Any string may hold ${NAME} from the environment.',
    "",
  ];
  writeKeys(SCHEMA, lines, { "router.policy_file": JSON.stringify(options.policyFile) }, []);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Values that stand in place of `""` where a key is unset by default. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "providers.openai.api_key": '"${OPENAI_API_KEY}"',
  "providers.anthropic.api_key": '"${ANTHROPIC_API_KEY}"',
  "providers.openai.api_key_file": '"/run/secrets/openai"',
  "providers.anthropic.api_key_file": '"/run/secrets/anthropic"',
  "auth.keys_file": '"keys.txt"',
  "translation.default_max_tokens": "4096",
  "limits.rss_bytes": "2147483648",
  "hedge.model": '"gpt-5.4-mini"',
  "telemetry.otlp_endpoint": '"http://localhost:4317"',
  "metrics.listen_addr": '"127.0.0.1:9090"',
  "log.file": '"arouter.log"',
  "ledger.file": '"ledger.jsonl"',
  "catalog.file": '"models.json"',
};

/** TOML spelling of an unset key in an example. */
export function exampleOf(path: readonly string[]): string {
  return EXAMPLES[path.join(".")] ?? '""';
}

function writeKeys(
  fields: Fields,
  lines: string[],
  live: Readonly<Record<string, string>>,
  path: readonly string[],
): void {
  const nodes = Object.entries(fields);
  for (const [name, node] of nodes) {
    const at = [...path, name];
    if (node.node === "key" && node.type !== "table") {
      const given = live[at.join(".")];
      const line = `${name} = ${given ?? node.defaultToml ?? exampleOf(at)}`;
      lines.push(`${given === undefined ? "# " : ""}${line}  # ${node.doc}`);
    } else if (node.node === "optional-section") {
      const keys = Object.keys(node.keys).map((key) => `${key} = ""`);
      lines.push(`# ${name} = { ${keys.join(", ")} }  # ${node.doc}`);
    } else if (node.node === "key") {
      lines.push(`# [${at.join(".")}."NAME"]  # ${node.doc}`);
    }
  }
  for (const [name, node] of nodes) {
    if (node.node !== "section") continue;
    // Under a provider these repeat the general tables; the reference page tells of them.
    if (path.length === 2) continue;
    const at = [...path, name];
    lines.push("", `# ${node.doc}`);
    if (Object.values(node.keys).some((key) => key.node === "key")) lines.push(`[${at.join(".")}]`);
    writeKeys(node.keys, lines, live, at);
  }
}

/** JSON Schema of arouter.toml, for editors. Strings with `${NAME}` are taken wherever a string is. */
export function renderJsonSchema(): JsonObject {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "ARouter configuration",
    ...objectSchema(SCHEMA),
  };
}

function objectSchema(fields: Fields): JsonObject {
  const properties = Object.entries(fields).map(([name, node]) => [name, nodeSchema(node)] as const);
  return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) };
}

function nodeSchema(node: SchemaNode): JsonObject {
  if (node.node === "section") return { description: node.doc, ...objectSchema(node.keys) };
  if (node.node === "optional-section") {
    return { description: node.doc, ...objectSchema(node.keys), required: Object.keys(node.keys) };
  }
  const initial =
    node.defaultToml === null
      ? {}
      : { default: node.suffix === "Ms" ? JSON.parse(node.defaultToml) : jsonDefault(node.default) };
  return { description: node.doc, ...node.jsonSchema, ...initial };
}

/** Defaults are plain JSON but for durations, which the caller spells. */
function jsonDefault(value: unknown): JsonObject[string] {
  return JSON.parse(JSON.stringify(value));
}
