/** The table of ARCHITECTURE.md, "Who may import whom", held against every file of src. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";

const src = resolve(import.meta.dir, "../src");

const everything = "everything";

/** Folder (or file at the top of src) → the folders whose files it may import, type-only imports included. */
const MAY_IMPORT: Readonly<Record<string, readonly string[] | typeof everything>> = {
  base: [],
  catalog: ["base"],
  config: ["base", "catalog"],
  observe: ["base", "catalog"],
  resilience: ["base"],
  wire: ["base"],
  translate: ["base", "wire", "catalog"],
  heal: ["base", "wire"],
  policy: ["base", "wire", "catalog"],
  upstream: ["base", "wire", "resilience"],
  gateway: ["base", "catalog", "wire", "translate", "policy", "heal", "resilience", "upstream"],
  server: ["base", "wire", "gateway"],
  dashboard: ["base", "wire", "gateway"],
  simulator: ["base", "wire"],
  supervisor: ["base", "observe"],
  app: everything,
  cli: everything,
  "main.ts": everything,
};

/** Package → the folders that may import it. A package that is not listed may be imported nowhere in src. */
const PACKAGE_LIVES_IN: Readonly<Record<string, readonly string[]>> = {
  "smol-toml": ["config"],
  "prom-client": ["observe"],
  "@sinclair/typebox": ["wire", "config", "policy"],
  typebox: ["heal"],
  re2js: ["heal"],
  yaml: ["policy"],
  elysia: ["server"],
};

/** Effects → where they may stand. Files at the top and cli compose the process and may use all but randomness. */
const GLOBAL_LIVES_IN: readonly {
  readonly name: string;
  readonly pattern: RegExp;
  readonly folders: readonly string[];
}[] = [
  { name: "Date.now", pattern: /\bDate\.now\s*\(/, folders: ["base"] },
  { name: "new Date()", pattern: /\bnew Date\(\s*\)/, folders: ["base"] },
  { name: "performance.now", pattern: /\bperformance\.now\s*\(/, folders: ["base"] },
  { name: "setTimeout", pattern: /(?<![.\w])setTimeout\s*\(/, folders: ["base"] },
  { name: "setInterval", pattern: /(?<![.\w])setInterval\s*\(/, folders: ["base"] },
  { name: "Math.random", pattern: /\bMath\.random\b/, folders: ["base"] },
  { name: "crypto", pattern: /(?<![.\w])crypto\.|from "(?:node:)?crypto"/, folders: ["base"] },
  { name: "process.env", pattern: /\bprocess\.env\b|\bBun\.env\b/, folders: ["config", "cli", "main.ts"] },
  { name: "console", pattern: /(?<![.\w])console\.\w/, folders: ["observe", "cli", "main.ts"] },
  { name: "fetch", pattern: /(?<![.\w"'`])fetch\s*\((?!\s*\w+\s*:)/, folders: ["upstream", "cli"] },
];

/** Folders whose subfolders are strangers to each other: one wire format, one pair. `maps` is shared, and what the pairs of one client or one upstream share. */
const STRANGERS: Readonly<Record<string, readonly string[]>> = {
  wire: ["sse"],
  translate: ["maps", "chat-client", "messages-client", "messages-upstream"],
};

/** Lines past which a file asks to be split; reported, not refused. */
const maxLines = 250;

interface SourceFile {
  /** Path below src with forward slashes. */
  readonly path: string;
  readonly folder: string;
  /** Source without comments, strings kept. */
  readonly code: string;
  readonly lines: number;
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = [...new Bun.Glob("**/*.ts").scanSync({ cwd: src })].toSorted().map((path) => {
  const text = readFileSync(join(src, path), "utf8");
  const code = withoutComments(text);
  return {
    path,
    folder: path.split("/")[0] ?? path,
    code,
    lines: text.split("\n").length - 1,
    imports: readImports(code),
  };
});

/** Blanks comments; leaves strings, templates and regular expressions alone well enough for the searches here. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|(?<=^|\s|[;{}(),])\/\/[^\n]*/g,
    (match, string: string | undefined) => (string === undefined ? " " : match),
  );
}

/** Specifiers of `import`, `import type`, `export … from`, `import()` and `import("…")` in types. */
function readImports(code: string): readonly string[] {
  const found = code.matchAll(
    /(?:^(?:import|export)\b[^;"']*?\bfrom\s*|^import\s*|\bimport\s*\(\s*)["']([^"'\n]+)["']/gm,
  );
  return [...found].map((match) => match[1] ?? "");
}

/** Path below src that a relative import means; null for a package. */
function resolveImport(file: SourceFile, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  return relative(src, resolve(src, dirname(file.path), specifier)).replaceAll("\\", "/");
}

function packageName(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first === "@opentelemetry" ? "@opentelemetry/*" : first.startsWith("@") ? `${first}/${second}` : first;
}

const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith("node:") || specifier.startsWith("bun") || builtinModules.includes(specifier);

describe("architecture", () => {
  test("has files to check", () => {
    expect(files.length).toBeGreaterThan(10);
  });

  test("knows every folder of src", () => {
    const unknown = [...new Set(files.map((file) => file.folder))].filter((folder) => !(folder in MAY_IMPORT));
    expect(unknown).toEqual([]);
  });

  test("lets a folder import only what the table allows", () => {
    const wrong = files.flatMap((file) => {
      const allowed = MAY_IMPORT[file.folder];
      if (allowed === undefined || allowed === everything) return [];
      return file.imports
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => target !== null && !target.startsWith(".."))
        .filter((target) => {
          const folder = target?.split("/")[0] ?? "";
          return folder !== file.folder && !allowed.includes(folder);
        })
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test("imports nothing from outside src but the manifest and, for the binary to carry, the shipped policy", () => {
    const carried = new Set(["../package.json", "../policies/default.yaml"]);
    const outside = files.flatMap((file) =>
      file.imports
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => target !== null && target.startsWith("..") && !carried.has(target))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(outside).toEqual([]);
  });

  test("keeps one wire format and one translation pair apart from the next", () => {
    const wrong = files.flatMap((file) => {
      const shared = STRANGERS[file.folder];
      const [, subfolder = "", rest] = file.path.split("/");
      if (shared === undefined || rest === undefined || shared.includes(subfolder)) return [];
      return file.imports
        .map((specifier) => resolveImport(file, specifier)?.split("/") ?? [])
        .filter(([folder, other = "", inside]) => {
          return folder === file.folder && inside !== undefined && other !== subfolder && !shared.includes(other);
        })
        .map((target) => `${file.path} imports ${target.join("/")}`);
    });
    expect(wrong).toEqual([]);
  });

  test("imports each package only where it lives", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => !specifier.startsWith(".") && !isBuiltin(specifier))
        .filter((specifier) => {
          const folders = PACKAGE_LIVES_IN[packageName(specifier)];
          return folders === undefined || !(folders.includes(file.folder) || MAY_IMPORT[file.folder] === everything);
        })
        .map((specifier) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  for (const { name, pattern, folders } of GLOBAL_LIVES_IN) {
    test(`uses ${name} only in ${folders.join(", ")}`, () => {
      const wrong = files
        .filter((file) => !folders.includes(file.folder))
        .filter((file) => pattern.test(file.code))
        .map((file) => file.path);
      expect(wrong).toEqual([]);
    });
  }

  test("exports no class but GatewayError, has no enum, no default export, no any", () => {
    const rules: readonly (readonly [string, RegExp])[] = [
      ["exported class", /^\s*export\s+(?:abstract\s+)?class\s+(?!GatewayError\b)\w/m],
      ["enum", /^\s*(?:export\s+)?(?:const\s+)?enum\s+\w/m],
      ["default export", /^\s*export\s+default\b/m],
      ["any", /(?::|\bas|<)\s*any\b(?=\s*[;,)>=[\]{}|&]|$)/m],
      ["I-prefixed interface", /\binterface\s+I[A-Z]\w*[a-z]/],
    ];
    const wrong = files.flatMap((file) =>
      rules.filter(([, pattern]) => pattern.test(file.code)).map(([rule]) => `${file.path}: ${rule}`),
    );
    expect(wrong).toEqual([]);
  });

  test("refers to nothing outside the repository", () => {
    const wrong = files.filter((file) =>
      /\.\.\/shared|\/work\/|WIRE\.md/.test(readFileSync(join(src, file.path), "utf8")),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  test("reports the files that ask to be split", () => {
    const long = files.filter((file) => file.lines > maxLines).toSorted((a, b) => b.lines - a.lines);
    if (long.length > 0) {
      console.log(`files over ${maxLines} lines: ${long.map((file) => `${file.path} ${file.lines}`).join(", ")}`);
    }
    expect(long.filter((file) => file.lines > 2 * maxLines).map((file) => `${file.path} ${file.lines}`)).toEqual([]);
  });
});
