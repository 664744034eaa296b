/** The process: what becomes of output that nobody takes. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(import.meta.resolve("../src/main.ts"));

/** Runs a shell line in which `arouter` is the program. */
function shell(line: string): string {
  const script = `arouter() { "${process.execPath}" "${main}" "$@"; }\n${line}`;
  const { stdout, stderr } = Bun.spawnSync(["sh", "-c", script]);
  return stdout.toString() + stderr.toString();
}

test("a reader that has seen enough is no failure", () => {
  expect(shell('{ arouter models --json; echo "exit $?" >&2; } | head -c 1')).toBe("{exit 0\n");
}, 30_000);

test.skipIf(!existsSync("/dev/full"))(
  "output that is lost is a failure, told by the status alone",
  () => {
    expect(shell('arouter version > /dev/full; echo "exit $?"')).toBe("exit 1\n");
  },
  30_000,
);
