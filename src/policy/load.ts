/** A policy from a file or a folder. Reading is passed in: this folder touches no disk. */
import { dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../base/diagnostic.ts";
import { isObject } from "../base/json.ts";
import type { Json, JsonObject } from "../base/json.ts";
import { parsePolicy } from "./parse.ts";
import type { PolicyFile, PolicyResult } from "./parse.ts";
import type { PolicyTest } from "./policy.ts";
import { MAX_POLICY_BYTES } from "./source.ts";

export type PolicyRead = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** What loading needs of a file system. */
export interface PolicyFiles {
  readonly read: (path: string) => PolicyRead;
  /** Names directly in a folder; null when `path` is none. */
  readonly list: (path: string) => readonly string[] | null;
}

/** Most files that a folder may hold: a wrong `policy_file = "/"` is told apart from a policy. */
const MAX_FILES = 256;
/** `*.yaml` as a shell has it: what editors leave beside a file, such as `.#policy.yaml`, is hidden. */
const POLICY_NAME = /^[^.].*\.yaml$/;

/**
 * Loads the policy at `path` (absolute): the file, or all `*.yaml` directly in the folder, sorted by name. `display` turns a
 * path into what diagnostics call it. Requests of tests that stand in files of their own are read too.
 */
export function loadPolicy(path: string, files: PolicyFiles, display: (path: string) => string): PolicyResult {
  const names = files.list(path);
  const paths =
    names === null
      ? [path]
      : names
          .filter((name) => POLICY_NAME.test(name))
          .toSorted()
          .map((name) => join(path, name));
  if (paths.length === 0) return failed(display(path), "the folder holds no *.yaml file");
  if (paths.length > MAX_FILES) return failed(display(path), `the folder holds more than ${MAX_FILES} *.yaml files`);
  const read = paths.map((each) => ({ path: each, name: display(each), result: files.read(each) }));
  const broken = read.flatMap(({ name, result }): Diagnostic[] => {
    if (!result.ok) return [mistake(name, `cannot be read: ${result.reason}`)];
    return result.text.includes("\uFFFD") ? [mistake(name, "is not valid UTF-8")] : [];
  });
  if (broken.length > 0) return { ok: false, diagnostics: broken };
  const texts = read.map(({ name, result }): PolicyFile => ({ name, text: result.ok ? result.text : "" }));
  const parsed = parsePolicy(texts);
  if (!parsed.ok) return parsed;
  const folders = new Map(read.map((each) => [each.name, dirname(each.path)]));
  const tests = parsed.policy.tests.map((test) => readRequest(test, folders.get(test.position.file) ?? ".", files));
  const mistakes = tests.flatMap((test) => ("mistake" in test ? [test.mistake] : []));
  if (mistakes.length > 0) return { ok: false, diagnostics: mistakes };
  return {
    ok: true,
    policy: { ...parsed.policy, tests: tests.flatMap((test) => ("test" in test ? [test.test] : [])) },
  };
}

function mistake(file: string, text: string): Diagnostic {
  return { file, line: 1, column: 1, severity: "error", text };
}

function failed(file: string, text: string): PolicyResult {
  return { ok: false, diagnostics: [mistake(file, text)] };
}

function readRequest(
  test: PolicyTest,
  folder: string,
  files: PolicyFiles,
): { readonly test: PolicyTest } | { readonly mistake: Diagnostic } {
  if (test.requestFile === null) return { test };
  const wrong = (text: string): { readonly mistake: Diagnostic } => ({
    mistake: { ...test.position, severity: "error", text: `test "${test.name}": ${test.requestFile} ${text}` },
  });
  const read = files.read(resolve(folder, test.requestFile));
  if (!read.ok) return wrong(`cannot be read: ${read.reason}`);
  if (read.text.length > MAX_POLICY_BYTES) return wrong(`is larger than ${MAX_POLICY_BYTES} bytes`);
  const request = parseObject(read.text);
  return request === null ? wrong("is not a JSON object") : { test: { ...test, request } };
}

function parseObject(text: string): JsonObject | null {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
