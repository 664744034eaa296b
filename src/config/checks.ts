/** What can only be judged of the configuration as a whole. */
import { PROVIDER_NAMES } from "../base/names.ts";
import { createSecret } from "../base/secret.ts";
import type { Config } from "./config.ts";
import { renderPath } from "./read.ts";
import type { Run } from "./run.ts";

const GROUP_OR_WORLD_READABLE = 0o044;

/** Reports what does not fit together, and warns of what is unsafe. */
export function checkWhole(run: Run, config: Config): void {
  checkProviderKeys(run, config);
  checkOrder(run, config);
  checkExposure(run, config);
  checkWorkers(run, config);
  checkAddresses(run, config);
  if ((run.mode & GROUP_OR_WORLD_READABLE) !== 0) {
    for (const path of run.context.literalSecrets) {
      run.warn(
        path,
        `${renderPath(path)}: a key stands in a file that others can read; use "\${NAME}" or a key file, or chmod 600`,
      );
    }
  }
}

/** Passwords in addresses and headers for the collector are secrets too. */
export function collectHiddenSecrets(run: Run, config: Config): void {
  const urls = [...PROVIDER_NAMES.map((name) => config.providers[name].baseUrl), config.telemetry.otlpEndpoint];
  for (const url of urls) {
    const password = url !== null && URL.canParse(url) ? new URL(url).password : "";
    if (password !== "") run.context.secrets.push(createSecret(password), createSecret(decode(password)));
  }
  for (const value of Object.values(config.telemetry.otlpHeaders)) {
    run.context.secrets.push(createSecret(value));
    // `Bearer TOKEN`: the token alone is as secret.
    const token = value.slice(value.indexOf(" ") + 1);
    if (token !== value) run.context.secrets.push(createSecret(token));
  }
}

function decode(password: string): string {
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

function checkProviderKeys(run: Run, config: Config): void {
  const missing = PROVIDER_NAMES.every((name) => config.providers[name].apiKey === null);
  // An error found before may be the reason, such as a variable that is not set.
  const explained = run.diagnostics.some(({ severity }) => severity === "error");
  if (!missing || explained || run.options.requireKey === false) return;
  run.context.report(
    ["providers"],
    "key",
    "no provider has a key: set OPENAI_API_KEY or ANTHROPIC_API_KEY, or providers.openai.api_key or providers.anthropic.api_key",
  );
}

/** Several processes share a port only where the kernel spreads connections over them. `auto` is one process elsewhere. */
function checkWorkers(run: Run, { server, listenAddr, metrics }: Config): void {
  if (server.workers === "auto" || server.workers === 1) return;
  const report = (text: string): void => run.context.report(["server", "workers"], "value", `server.workers: ${text}`);
  if ((run.options.platform ?? process.platform) !== "linux") {
    report('more than 1 needs Linux; elsewhere leave it at 1 or "auto", and run several behind a load balancer');
  } else if (listenAddr.startsWith("unix:")) {
    report("more than 1 cannot share the socket of listen_addr; listen on HOST:PORT, or leave it at 1");
  } else if (metrics.listenAddr?.startsWith("unix:") === true) {
    report("more than 1 cannot share the socket of metrics.listen_addr; listen on HOST:PORT there, or leave it at 1");
  }
}

/** Where processes share ports the kernel would not say so: it would send half of the calls to the metrics. */
function checkAddresses(run: Run, { listenAddr, metrics }: Config): void {
  if (!metrics.enabled || metrics.listenAddr === null || !isSamePlace(listenAddr, metrics.listenAddr)) return;
  run.context.report(
    ["metrics", "listen_addr"],
    "value",
    `metrics.listen_addr: ${metrics.listenAddr} is taken by listen_addr; give it another port, or leave it out: /metrics is there too`,
  );
}

/** Whether nobody can listen on both. */
function isSamePlace(one: string, other: string): boolean {
  if (one.startsWith("unix:") || other.startsWith("unix:")) return one === other;
  const [host, port] = splitAddress(one);
  const [otherHost, otherPort] = splitAddress(other);
  if (port !== otherPort || port === 0) return false;
  return host === otherHost || covers(host, otherHost) || covers(otherHost, host);
}

/** Whether `host` stands for every address, of the family of `other` at least. */
function covers(host: string, other: string): boolean {
  return host === "::" || (host === "0.0.0.0" && !other.includes(":"));
}

/** Pairs of which the first may not be over the second. */
function checkOrder(run: Run, config: Config): void {
  const pairs = [
    ["hedge.after_min", config.hedge.afterMinMs, "hedge.after_max", config.hedge.afterMaxMs],
    ["breaker.open_base", config.breaker.openBaseMs, "breaker.open_max", config.breaker.openMaxMs],
  ] as const;
  for (const [low, lowMs, high, highMs] of pairs) {
    if (lowMs > highMs) run.context.report(low.split("."), "value", `${low}: must not be over ${high}`);
  }
}

/** Whether an address, as `listen_addr` writes it, is reached from this machine alone. */
export function isLoopback(listenAddr: string): boolean {
  if (listenAddr.startsWith("unix:")) return true;
  const [host] = splitAddress(listenAddr);
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Of `HOST:PORT`; without the brackets of an IPv6 address. */
function splitAddress(address: string): readonly [host: string, port: number] {
  const colon = address.lastIndexOf(":");
  return [address.slice(0, colon).replace(/^\[|\]$/g, ""), Number(address.slice(colon + 1))];
}

function checkExposure(run: Run, config: Config): void {
  if (config.auth.keys.length > 0 || isLoopback(config.listenAddr)) return;
  run.warn(
    ["listen_addr"],
    `listen_addr: ${config.listenAddr} is reached from other machines, and [auth] has no keys: anyone there can spend your tokens`,
  );
  if (config.dashboard.enabled === true) {
    run.warn(
      ["dashboard", "enabled"],
      "dashboard.enabled: the dashboard is open to other machines, as [auth] has no keys",
    );
  }
}
