/** Configurations from texts: files that exist only for one test. */
import { renderDiagnostic } from "../../src/base/diagnostic.ts";
import type { Config } from "../../src/config/config.ts";
import type { ConfigFiles } from "../../src/config/files.ts";
import { loadConfig, type LoadResult } from "../../src/config/load.ts";
import type { ConfigOverrides } from "../../src/config/run.ts";

export interface Setting {
  /** Texts by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Permission bits of all of them; 0600 unless told. */
  readonly mode?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: ConfigOverrides;
  readonly requireKey?: boolean;
  readonly platform?: NodeJS.Platform;
}

export const FILE = "/etc/app/arouter.toml";

/** Files in memory; a path that ends in `/` is a folder. */
export function memoryFiles(files: Readonly<Record<string, string>>, mode = 0o600): ConfigFiles {
  return {
    read: (path) => {
      if (Object.hasOwn(files, `${path}/`)) return { ok: false, missing: false, reason: "is a folder" };
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      return text === undefined ? { ok: false, missing: true, reason: "no such file" } : { ok: true, text, mode };
    },
  };
}

/** Loads in the folder /etc/app, with a key in the environment unless `env` is given. */
export function load(setting: Setting): LoadResult {
  const { files = {}, mode, env = { OPENAI_API_KEY: "sk-env-openai" }, overrides = {}, requireKey = true } = setting;
  const { platform = "linux" } = setting;
  return loadConfig({ overrides, env, cwd: "/etc/app", files: memoryFiles(files, mode), requireKey, platform });
}

/** The configuration of the file `text`; throws what was wrong. */
export function configOf(text: string, setting: Setting = {}): Config {
  const result = load({ ...setting, files: { ...setting.files, [FILE]: text } });
  if (!result.ok) throw new Error(result.diagnostics.map(renderDiagnostic).join("\n"));
  return result.config;
}

/** What is said about the file `text`, errors and warnings, one line each. */
export function complaints(text: string, setting: Setting = {}): readonly string[] {
  const result = load({ ...setting, files: { ...setting.files, [FILE]: text } });
  return (result.ok ? result.warnings : result.diagnostics).map(renderDiagnostic);
}
