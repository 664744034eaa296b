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
const report = join(root, ".cache/junit.xml");

/** Counts of one run, from the first element of its JUnit report. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function readCounts(): Counts | null {
  if (!existsSync(report)) return null;
  const head = /<testsuites\b[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] ?? "";
  const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const skipped = count("skipped");
  return { passed: count("tests") - failed - skipped, failed, skipped };
}

const missing = await setUp();
for (const line of missing) console.log(`missing: ${line}`);

mkdirSync(join(root, ".cache"), { recursive: true });
rmSync(report, { force: true });
const run = Bun.spawn(
  [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" },
);
const exitCode = await run.exited;
const counts = readCounts() ?? { passed: 0, failed: 0, skipped: 0 };
// A file that does not load fails the run without failing a test.
const failed = exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed;

console.log("");
for (const line of missing) console.log(`skipped for want of: ${line}`);
if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
console.log(`${counts.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
