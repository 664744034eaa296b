/**
 * Room for what the configuration promises. Bun runs 256 fetches at once and queues the rest without a word, unless
 * BUN_CONFIG_MAX_HTTP_REQUESTS says otherwise when the process starts: where calls go through `fetch`, the process starts
 * itself again with it.
 */
import { readFileSync } from "node:fs";
import type { Config } from "../config/config.ts";
import { usesFetch } from "../upstream/http-client.ts";
import { IS_COMPILED } from "./version.ts";

const VARIABLE = "BUN_CONFIG_MAX_HTTP_REQUESTS";
/** Bun takes no more. */
const MAX_REQUESTS = 65_335;
/** Each request in flight may hold attempts of a hedge and its successor for a moment. */
const PER_REQUEST = 4;

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that run code or open doors inside the process, or send its traffic elsewhere. */
function isUnwanted(name: string, useEnvProxy: boolean): boolean {
  if (name === "BUN_OPTIONS" || name === "BUN_CONFIG_VERBOSE_FETCH" || name.startsWith("BUN_INSPECT")) return true;
  return !useEnvProxy && /^(?:https?|all)_proxy$/i.test(name);
}

/** The environment to start again with; null when this one will do. */
export function neededEnvironment(
  env: Environment,
  { limits, upstream }: Pick<Config, "limits" | "upstream">,
): Record<string, string> | null {
  if (!usesFetch(upstream)) return null;
  const { useEnvProxy } = upstream;
  const needed = Math.min(MAX_REQUESTS, limits.maxInFlight * PER_REQUEST);
  if (Number(env[VARIABLE] ?? 0) >= needed) return null;
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !isUnwanted(name, useEnvProxy)) kept[name] = value;
  }
  kept[VARIABLE] = String(needed);
  return kept;
}

/**
 * Starts this process again with `env`: in place where the system can (same pid), else as a child that gets the signals
 * and whose exit status is passed on.
 */
export async function startAgain(env: Readonly<Record<string, string>>): Promise<number> {
  const args = process.argv.slice(IS_COMPILED ? 2 : 1);
  const { execve } = process as { execve?: (path: string, args: readonly string[], env: Environment) => never };
  if (process.platform !== "win32" && execve !== undefined) {
    execve(process.execPath, [process.execPath, ...args], env);
  }
  const child = Bun.spawn([process.execPath, ...args], { env, stdio: ["inherit", "inherit", "inherit"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return child.exited;
}

/** Open files this process may have; null where that cannot be told. */
export function fileLimit(): number | null {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    return soft === undefined ? null : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}

/** Descriptors a request may take: the client's, the upstream's, and one to spare; and those of the process itself. */
const FILES_PER_REQUEST = 3;
const FILES_OWN = 128;

/** `maxInFlight`, lowered to what the file limit allows. */
export function affordableInFlight(maxInFlight: number, files: number | null): number {
  if (files === null || files >= maxInFlight * FILES_PER_REQUEST + FILES_OWN) return maxInFlight;
  return Math.max(1, Math.floor((files - FILES_OWN) / FILES_PER_REQUEST));
}
