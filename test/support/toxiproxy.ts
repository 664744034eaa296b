/** A real fault proxy between gateway and provider: https://github.com/Shopify/toxiproxy, built once with Go into `.cache/tools/`. */
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const PACKAGE = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";
const folder = resolve(import.meta.dir, "../../.cache/tools/toxiproxy-2.12.0");
const program = join(folder, "server");

export type Toxiproxy = { readonly path: string } | { readonly missing: string };

/** The program, if it was built. */
export function findToxiproxy(): Toxiproxy {
  if (existsSync(program)) return { path: program };
  return {
    missing: `toxiproxy: ${Bun.which("go") === null ? "no Go to build it with" : "not built yet; run: npm test"}`,
  };
}

/** Builds it where Go is at hand; @returns why it is missing, or null */
export async function ensureToxiproxy(): Promise<string | null> {
  if (existsSync(program)) return null;
  if (Bun.which("go") === null) return "toxiproxy: no Go to build it with";
  mkdirSync(folder, { recursive: true });
  const build = Bun.spawn(["go", "install", PACKAGE], {
    env: { ...process.env, GOBIN: folder },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(build.stderr).text();
  return (await build.exited) === 0 ? null : `toxiproxy: go install failed: ${said.trim().split("\n").at(-1) ?? ""}`;
}

export interface FaultProxy {
  /** Origin to use in place of the upstream's. */
  readonly url: string;
  /** Adds a toxic, on what comes back from the upstream. */
  readonly add: (type: string, attributes: Readonly<Record<string, number>>) => Promise<void>;
  /** Closes, or opens, its port. */
  readonly setOpen: (isOpen: boolean) => Promise<void>;
  /** All well again. */
  readonly heal: () => Promise<void>;
}

export interface FaultProxies {
  readonly open: (name: string, upstreamUrl: string) => Promise<FaultProxy>;
  readonly stop: () => Promise<void>;
}

/** Starts the program. @throws Error when it does not answer */
export async function startToxiproxy(path: string): Promise<FaultProxies> {
  const port = freePort();
  const child = Bun.spawn([path, "-host", "127.0.0.1", "-port", String(port)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const api = `http://127.0.0.1:${port}`;
  const call = async (method: string, route: string, body?: unknown): Promise<unknown> => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const response = await fetch(api + route, init);
    if (!response.ok) throw new Error(`toxiproxy: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      await call("GET", "/version");
      break;
    } catch (error) {
      if (attempt > 100) throw error;
      await Bun.sleep(50);
    }
  }
  return {
    open: async (name, upstreamUrl) => {
      const upstream = new URL(upstreamUrl).host;
      const made = (await call("POST", "/proxies", { name, listen: "127.0.0.1:0", upstream, enabled: true })) as {
        listen: string;
      };
      let toxics = 0;
      return {
        url: `http://${made.listen}`,
        add: async (type, attributes) => {
          toxics += 1;
          await call("POST", `/proxies/${name}/toxics`, {
            name: `${type}-${toxics}`,
            type,
            stream: "downstream",
            attributes,
          });
        },
        setOpen: async (enabled) =>
          void (await call("POST", `/proxies/${name}`, { enabled, listen: made.listen, upstream })),
        heal: async () => void (await call("POST", "/reset")),
      };
    },
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
