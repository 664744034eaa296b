/**
 * The official Python SDKs against the running gateway: the newest releases and the last ones of the previous major from
 * source, the newest against the compiled binary, and frameworks built on them. The cases are in `python/`; each is one test.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../../scripts/build.ts";
import { findPython, pythonPins, type PythonEnvironmentName } from "../support/python.ts";
import { sourceCommand } from "../support/gateway.ts";
import { startSimulatedGateway, upstreamRequests, type SimulatedGateway } from "../support/simulated.ts";

/** A suite that hangs is ended, and fails. */
const limitMs = 180_000;

/** A script of cases, and how many there are at least: fewer results mean that a file was lost. */
interface Suite {
  readonly script: string;
  readonly leastCases: number;
}

const sdks: Suite = { script: "run.py", leastCases: 100 };
const frameworks: Suite = { script: "frameworks_cases.py", leastCases: 15 };

interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly detail: string;
}

interface SuiteResult {
  readonly results: readonly CaseResult[];
  /** What the suite said on standard error, shown when it did not end well. */
  readonly problem: string | null;
}

/** Serves the simulator's log to the Python side. */
function startControl(gateway: SimulatedGateway): { readonly url: string; readonly stop: () => Promise<void> } | null {
  if (gateway.simulator === null) return null;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const marker = new URL(request.url).searchParams.get("marker") ?? "";
      return Response.json(upstreamRequests(gateway, marker));
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

async function runSuite(python: string, command: readonly string[], script: string): Promise<SuiteResult> {
  const gateway = await startSimulatedGateway({ command });
  const control = startControl(gateway);
  try {
    const suite = Bun.spawn([python, "-X", "utf8", join(import.meta.dir, "python", script)], {
      env: {
        PATH: process.env["PATH"] ?? "",
        PYTHONDONTWRITEBYTECODE: "1",
        AROUTER_URL: gateway.url,
        ...(control === null ? {} : { AROUTER_CONTROL_URL: control.url }),
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: limitMs,
    });
    const [out, error, code] = await Promise.all([
      new Response(suite.stdout).text(),
      new Response(suite.stderr).text(),
      suite.exited,
    ]);
    const results = out
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as CaseResult);
    return { results, problem: code === 0 ? null : `ended with ${code}\n${error}\n${gateway.output()}` };
  } finally {
    await control?.stop();
    await gateway.stop();
  }
}

/** Runs the suite in one environment and reports its cases as tests. */
async function report(
  title: string,
  name: PythonEnvironmentName,
  command: () => Promise<readonly string[]>,
  { script, leastCases }: Suite = sdks,
): Promise<void> {
  const environment = findPython(name);
  if ("missing" in environment) {
    test.skipIf(process.env["CI"] === undefined)(`${title}: ${environment.missing}`, () => {
      expect.unreachable(environment.missing);
    });
    return;
  }
  const { results, problem } = await command()
    .then((words) => runSuite(environment.python, words, script))
    .catch((error: unknown): SuiteResult => ({ results: [], problem: String(error) }));
  describe(title, () => {
    test("runs to its end", () => {
      expect(problem).toBeNull();
      expect(results.length).toBeGreaterThanOrEqual(leastCases);
    });
    for (const result of results) {
      test.skipIf(result.outcome === "skipped")(
        result.outcome === "skipped" ? `${result.name}: ${result.detail}` : result.name,
        () => {
          if (result.outcome === "failed") throw new Error(result.detail);
        },
      );
    }
  });
}

const folder = mkdtempSync(join(tmpdir(), "arouter-binary-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

await report(`python ${pythonPins("newest")}`, "newest", async () => sourceCommand);
await report(`python ${pythonPins("previous")}`, "previous", async () => sourceCommand);
await report(`python ${pythonPins("newest")}, compiled binary`, "newest", async () => {
  const outfile = join(folder, "arouter");
  await buildBinary({ outfile });
  return [outfile];
});
await report(`python ${pythonPins("frameworks")}`, "frameworks", async () => sourceCommand, frameworks);
