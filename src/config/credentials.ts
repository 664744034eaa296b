/** The keys of the providers, by precedence, and those of the callers. */
import { isObject, isString, own, type JsonObject } from "../base/json.ts";
import { PROVIDER_NAMES, type ProviderName } from "../base/names.ts";
import { createSecret, reveal, type Secret } from "../base/secret.ts";
import { readAuthKey, readKeysFile, type AuthKeyRead } from "./auth-keys.ts";
import type { AuthKey } from "./config.ts";
import { renderPath, type Given } from "./read.ts";
import type { Run } from "./run.ts";

/** Settles `providers.*.api_key` in `given`: `AROUTER_*_API_KEY`, then the file, then the vendor's own variable. */
export function readProviderKeys(run: Run, given: Given): void {
  for (const provider of PROVIDER_NAMES) {
    const name = `providers.${provider}.api_key`;
    const secret = chooseKey(run, given, provider);
    if (secret !== null) given.set(name, secret);
    // A line end or a letter beyond ASCII would make every request fail, with an error that names no cause.
    if (secret !== null && !/^[\x21-\x7e]+$/.test(reveal(secret))) {
      run.context.report(name.split("."), "value", `${name}: has characters that cannot be sent in a header`);
    }
  }
}

function chooseKey(run: Run, given: Given, provider: ProviderName): Secret | null {
  const path = ["providers", provider, "api_key"];
  const filePath = ["providers", provider, "api_key_file"];
  const literal = (given.get(path.join(".")) ?? null) as Secret | null;
  const keyFile = given.get(filePath.join("."));
  if (literal !== null && isString(keyFile)) {
    run.context.report(filePath, "key", `${renderPath(filePath)}: not together with api_key; keep one of them`);
  }
  const fromFile = isString(keyFile) ? readSecretFile(run, keyFile, filePath) : null;
  const variable = `${provider.toUpperCase()}_API_KEY`;
  return (
    environmentSecret(run, `AROUTER_${variable}`) ??
    fromFile ??
    literal ??
    // A key file that cannot be read is a mistake, not a reason to take another key.
    (keyFile === undefined ? environmentSecret(run, variable) : null)
  );
}

/** An empty variable counts as unset: container setups declare what they leave out. */
function environmentSecret(run: Run, variable: string): Secret | null {
  const value = run.context.environment[variable]?.trim();
  return value === undefined || value === "" ? null : keep(run, value);
}

function readSecretFile(run: Run, path: string, at: readonly string[]): Secret | null {
  run.files.push({ kind: "keys", path });
  const result = run.read(path);
  const text = result.ok ? result.text.trim() : "";
  if (!result.ok) run.context.report(at, "value", `${renderPath(at)}: cannot be read: ${result.reason}`);
  else if (text === "") run.context.report(at, "value", `${renderPath(at)}: the file is empty`);
  return text === "" ? null : keep(run, text);
}

function keep(run: Run, text: string): Secret {
  const secret = createSecret(text);
  run.context.secrets.push(secret);
  return secret;
}

/** The callers of `[auth] keys` and of `keys_file`; a name that occurs twice is a mistake. */
export function readAuthKeys(run: Run, root: JsonObject, given: Given): readonly AuthKey[] {
  const keys = new Map<string, AuthKey>();
  const add = (name: string, read: AuthKeyRead, report: (text: string) => void): void => {
    if ("problem" in read) return report(read.problem);
    if (keys.has(name)) return report(`a caller named "${name}" is there already`);
    if (read.secret !== null) run.context.secrets.push(read.secret);
    keys.set(name, read.key);
  };

  const inline = given.get("auth.keys");
  const written = own(own(root, "auth"), "keys");
  for (const [name, text] of Object.entries(isObject(inline) ? inline : {})) {
    const path = ["auth", "keys", name];
    add(name, readAuthKey(name, isString(text) ? text : ""), (problem) =>
      run.context.report(path, "value", `${renderPath(path)}: ${problem}`),
    );
    const source = own(written, name);
    if (isString(source) && !source.includes("${") && !source.startsWith("sha256:")) {
      run.context.literalSecrets.push(path);
    }
  }

  const file = given.get("auth.keys_file");
  if (isString(file)) {
    run.files.push({ kind: "keys", path: file });
    const result = run.read(file);
    if (!result.ok)
      run.context.report(["auth", "keys_file"], "value", `auth.keys_file: cannot be read: ${result.reason}`);
    for (const { line, name, read } of result.ok ? readKeysFile(result.text) : []) {
      add(name, read, (problem) =>
        run.addAt(file, line, 1, "error", name === "" ? problem : `${renderPath([name])}: ${problem}`),
      );
    }
  }
  return [...keys.values()];
}
