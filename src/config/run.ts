/** One run of the loader: the file it found, and where its steps put what they find. */
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { parse, TomlError } from "smol-toml";
import type { Diagnostic } from "../base/diagnostic.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { systemFiles, type ConfigFiles } from "./files.ts";
import type { Environment } from "./interpolate.ts";
import { findPositions, NO_POSITIONS, type Positions } from "./positions.ts";
import type { ReadContext } from "./read.ts";

/** What the command line says about the configuration. */
export interface ConfigOverrides {
  /** `--config`; relative to the working folder, as the next. */
  readonly configFile?: string;
  /** `--policy`. */
  readonly policyFile?: string;
  /** `--listen`. */
  readonly listenAddr?: string;
}

export interface LoadOptions {
  readonly overrides?: ConfigOverrides;
  readonly env: Environment;
  readonly cwd: string;
  /** Default: the files of this machine. */
  readonly files?: ConfigFiles;
  /** Whether a configuration without any provider's key is a mistake; false for commands that call no provider. */
  readonly requireKey?: boolean;
  /** Default: what this process runs on. */
  readonly platform?: NodeJS.Platform;
}

/** A file that the configuration came from: worth watching. */
export interface SourceFile {
  readonly kind: "config" | "policy" | "keys";
  /** Absolute. A policy may be a folder. */
  readonly path: string;
}

const DEFAULT_FILES = ["arouter.toml", "/etc/arouter/arouter.toml"] as const;

/** One run of the loader. */
export interface Run {
  readonly options: LoadOptions;
  readonly read: ConfigFiles["read"];
  readonly diagnostics: Diagnostic[];
  readonly files: SourceFile[];
  readonly context: ReadContext;
  /** Absolute path of the file in use; null without one. */
  file: string | null;
  /** False once the file could not be read or parsed. */
  readable: boolean;
  /** Permission bits of that file. */
  mode: number;
  positions: Positions;
  readonly addAt: (file: string, line: number, column: number, severity: Diagnostic["severity"], text: string) => void;
  readonly warn: (path: readonly string[], text: string) => void;
}

/** Finds the file and prepares a run over it. */
export function createRun(options: LoadOptions): Run {
  const diagnostics: Diagnostic[] = [];
  const foundFile = findFile(options);
  const folder = foundFile === null ? options.cwd : dirname(foundFile);
  const addAt: Run["addAt"] = (file, line, column, severity, text) => {
    diagnostics.push({ file: displayPath(file, options.cwd), line, column, severity, text });
  };
  const at = (
    path: readonly string[],
    place: "key" | "value",
    severity: Diagnostic["severity"],
    text: string,
  ): void => {
    const { line, column } = run.positions[place](path);
    addAt(run.file ?? DEFAULT_FILES[0], line, column, severity, text);
  };
  const run: Run = {
    options,
    read: (options.files ?? systemFiles).read,
    diagnostics,
    files: [],
    context: {
      environment: options.env,
      folder,
      report: (path, place, text) => at(path, place, "error", text),
      secrets: [],
      literalSecrets: [],
    },
    file: foundFile,
    readable: true,
    mode: 0,
    positions: NO_POSITIONS,
    addAt,
    warn: (path, text) => at(path, "value", "warning", text),
  };
  return run;
}

/** The file named by `--config` or `AROUTER_CONFIG`, which must exist, else the first default one that does. */
function findFile(options: LoadOptions): string | null {
  const named = options.overrides?.configFile ?? options.env.AROUTER_CONFIG;
  if (named !== undefined && named !== "") return resolve(options.cwd, named);
  const { read } = options.files ?? systemFiles;
  const candidates = DEFAULT_FILES.map((name) => resolve(options.cwd, name));
  const isThere = (candidate: string): boolean => {
    const result = read(candidate);
    return result.ok || !result.missing;
  };
  return candidates.find(isThere) ?? null;
}

function displayPath(file: string, cwd: string): string {
  const short = isAbsolute(file) ? relative(cwd, file) : file;
  return short === "" || short.startsWith("..") ? file : short;
}

/** Reads and parses the file; an empty table when there is none, or none that can be read. */
export function readRoot(run: Run): JsonObject {
  if (run.file === null) return {};
  run.files.push({ kind: "config", path: run.file });
  const result = run.read(run.file);
  if (!result.ok) {
    run.readable = false;
    run.addAt(run.file, 1, 1, "error", `cannot be read: ${result.reason}`);
    return {};
  }
  run.mode = result.mode;
  try {
    const root = parse(result.text) as Json;
    run.positions = findPositions(result.text);
    return isObject(root) ? root : {};
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    run.readable = false;
    // The rest of the message shows the line, and a line may hold a key.
    const [summary = ""] = error.message.split("\n");
    run.addAt(
      run.file,
      error.line,
      error.column,
      "error",
      lowerFirst(summary.replace(/^Invalid TOML document: /, "not valid TOML: ")),
    );
    return {};
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
