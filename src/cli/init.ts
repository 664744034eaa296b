/** `arouter init`: files to start from. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import starterPolicy from "../../policies/default.yaml" with { type: "text" };
import type { JsonObject } from "../base/json.ts";
import { renderJsonSchema, renderSample } from "../config/render.ts";
import { policySchema } from "../policy/schema.ts";
import { EXIT } from "./exit.ts";
import type { CliIo } from "./io.ts";
import { readArguments } from "./usage.ts";

const HELP = `arouter init: write a configuration and a policy to start from

  arouter init [FOLDER] [--force]

  FOLDER   where to; the working folder unless told
  --force  overwrite what is there

Writes arouter.toml and policies.yaml, both commented, and their JSON Schemas into .arouter/, which editors use to complete
and check as you type.
`;

const SCHEMA_FOLDER = ".arouter";
const SCHEMA_LINE = /^# yaml-language-server: .*$/m;

/** Writes the files, or none when one of them is there already. Exit 0; 2 for bad usage or a file in the way. */
export async function runInit(args: readonly string[], io: CliIo): Promise<number> {
  const line = readArguments("init", args, io, {
    help: HELP,
    options: { force: { type: "boolean" } },
    maxPositionals: 1,
  });
  if ("exit" in line) return line.exit;
  const folder = resolve(io.cwd, line.positionals[0] ?? ".");
  const files = starterFiles();
  // The schemas are ours and follow the version; only what people edit is precious.
  const inTheWay = Object.keys(files).filter(
    (name) => !name.startsWith(`${SCHEMA_FOLDER}/`) && existsSync(join(folder, name)),
  );
  if (inTheWay.length > 0 && line.values.force !== true) {
    io.stderr(`arouter init: ${inTheWay.join(" and ")} already there; nothing written. Overwrite with --force.\n`);
    return EXIT.usage;
  }
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      io.stdout(`wrote ${relative(io.cwd, path) || path}\n`);
    }
  } catch (error) {
    io.stderr(`arouter init: cannot write: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
  io.stdout("\nNext: set OPENAI_API_KEY or ANTHROPIC_API_KEY, then `arouter check` and `arouter`.\n");
  return EXIT.fine;
}

/** What is written, by path in the folder. */
export function starterFiles(): Readonly<Record<string, string>> {
  const policySchemaFile = `${SCHEMA_FOLDER}/policies.schema.json`;
  const configSchemaFile = `${SCHEMA_FOLDER}/arouter.schema.json`;
  const schemaLine = `# yaml-language-server: $schema=${policySchemaFile}`;
  return {
    "arouter.toml": renderSample({ schema: configSchemaFile, policyFile: "policies.yaml" }),
    "policies.yaml": `${schemaLine}\n${starterPolicy.replace(SCHEMA_LINE, "").trimStart()}`,
    [configSchemaFile]: renderSchema(renderJsonSchema()),
    [policySchemaFile]: renderSchema(policySchema()),
  };
}

function renderSchema(schema: JsonObject): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
