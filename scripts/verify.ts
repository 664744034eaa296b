/**
 * Every check: lint, types, unused code, the tests with nothing skipped, the compiled binary, a smoke run of it, and that it
 * is as fast as it was.
 * Each check counts as one beside the tests; the last line is `N passed, N failed`.
 */
import { join, resolve } from "node:path";
import { smoke } from "./smoke.ts";
import { buildBinary } from "./build.ts";

const root = resolve(import.meta.dir, "..");
const binary = join(root, "dist/arouter");

interface Counts {
  passed: number;
  failed: number;
}
const total: Counts = { passed: 0, failed: 0 };

/** Runs one check and counts it; a check that counts for itself returns its own figures. */
async function check(name: string, run: () => Promise<Counts | null>): Promise<void> {
  console.log(`\n== ${name}`);
  try {
    const counts = (await run()) ?? { passed: 1, failed: 0 };
    total.passed += counts.passed;
    total.failed += counts.failed;
  } catch (error) {
    total.failed += 1;
    console.log(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs an npm script with its output shown. @throws Error when it fails */
async function npm(script: string): Promise<null> {
  const child = Bun.spawn(["npm", "run", "--silent", script], {
    cwd: root,
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  const code = await child.exited;
  if (code !== 0) throw new Error(`npm run ${script} ended with ${code}`);
  return null;
}

/** Runs one of the benchmarks with the binary, as a gate. @throws Error when it closes */
async function gate(script: string, ...options: readonly string[]): Promise<null> {
  const command = [process.execPath, join(root, script), "--quick", "--gate", "--binary", binary, ...options];
  const child = Bun.spawn(command, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  const code = await child.exited;
  if (code !== 0) throw new Error(`${script} ended with ${code}; what it printed tells what became slower`);
  return null;
}

/** Runs `npm test` as the README says it and takes its figures from its last line. */
async function tests(): Promise<Counts> {
  const child = Bun.spawn(["npm", "test", "--silent"], {
    cwd: root,
    env: { ...process.env, CI: "true" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    process.stdout.write(chunk);
    text = (text + decoder.decode(chunk, { stream: true })).slice(-4096);
  }
  const code = await child.exited;
  const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(text) ?? [];
  if (passed === undefined || failed === undefined) throw new Error(`npm test ended with ${code} and without figures`);
  return { passed: Number(passed), failed: Number(failed) };
}

await check("lint", () => npm("lint"));
await check("types", () => npm("typecheck"));
await check("unused code", () => npm("unused"));
await check("tests", tests);
await check("build", async () => {
  await buildBinary({ outfile: binary });
  return null;
});
await check("smoke", async () => {
  await smoke([binary]);
  return null;
});
await check("speed", () => gate("bench/run.ts"));
await check("growth", () => gate("bench/growth.ts"));

console.log("");
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
