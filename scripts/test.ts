/**
 * `npm test`: sets up what the tests need, runs all of them, and ends with `N passed, N failed`.
 *
 * Further arguments go to `bun test`. `AROUTER_LONG=1` runs the long forms. With `CI` set nothing that can be made
 * may be missing: its tests fail instead of skipping.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setUp } from "./setup.ts";

const root = resolve(import.meta.dir, "..");
const cache = join(root, ".cache");
/** For a test that sets no limit of its own: tests that compute take seconds where other work shares the cores. */
const LIMIT_MS = 30_000;
/** Files of tests that only wait, minutes long: they run beside all others, and not when one asks for some of these. */
const SLOW_FILES = ["./test/slow/long-silence.ts"];

/**
 * Folders whose tests talk over sockets, to processes and to the clock on the wall: what else runs on the machine may make
 * one of them late, so each gets two more tries. Tries show in the output ("attempt 2"). All others have one.
 */
const TIMED_FOLDERS = ["app", "cli", "conformance", "dashboard", "e2e", "faults", "observe", "server", "workers"];
const TIMED_RETRIES = 2;

/** Counts of one run, from the first element of its JUnit report. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function readCounts(report: string): Counts {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const head = /<testsuites\b[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] ?? "";
  const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const skipped = count("skipped");
  return { passed: count("tests") - failed - skipped, failed, skipped };
}

const missing = await setUp();
for (const line of missing) console.log(`missing: ${line}`);

/** Runs `bun test` with `args`; `output` is where it prints. */
async function runTests(name: string, args: readonly string[], output: "inherit" | "pipe"): Promise<Counts> {
  const report = join(cache, `${name}.xml`);
  rmSync(report, { force: true });
  const options = [`--timeout=${LIMIT_MS}`, "--reporter=junit", `--reporter-outfile=${report}`];
  const run = Bun.spawn([process.execPath, "test", ...options, ...args], {
    cwd: root,
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  const printed =
    output === "pipe" ? Promise.all([run.stdout, run.stderr].map((each) => new Response(each).text())) : [];
  const exitCode = await run.exited;
  for (const text of await printed) process.stdout.write(text);
  const counts = readCounts(report);
  // A file that does not load fails the run without failing a test.
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

mkdirSync(cache, { recursive: true });
const args = process.argv.slice(2);
const slow = args.length === 0 ? runTests("junit-slow", SLOW_FILES, "pipe") : null;
const timed = TIMED_FOLDERS.filter((folder) => existsSync(join(root, "test", folder)));
const runs: Counts[] = [];
if (args.length > 0) {
  runs.push(await runTests("junit", args, "inherit"));
} else {
  const others = timed.map((folder) => `--path-ignore-patterns=test/${folder}/**`);
  runs.push(await runTests("junit", others, "inherit"));
  const tries = [`--retry=${TIMED_RETRIES}`, ...timed.map((folder) => `./test/${folder}`)];
  runs.push(await runTests("junit-timed", tries, "inherit"));
}
if (slow !== null) runs.push(await slow);
const sum = (count: keyof Counts): number => runs.reduce((total, each) => total + each[count], 0);

console.log("");
for (const line of missing) console.log(`skipped for want of: ${line}`);
if (sum("skipped") > 0) console.log(`${sum("skipped")} skipped`);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
process.exit(sum("failed") === 0 ? 0 : 1);
