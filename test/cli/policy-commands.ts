/** Runs the policy commands in a folder of their own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CliIo } from "../../src/cli/io.ts";
import { NOON_MS } from "../policy/support.ts";

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `command` in a fresh folder that holds `files`; nothing of it stays. */
export async function runIn(
  files: Readonly<Record<string, string>>,
  command: (io: CliIo) => Promise<number>,
): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), "arouter-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
    let stdout = "";
    let stderr = "";
    const status = await command({
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      env: {},
      cwd,
      isTerminal: false,
      now: () => NOON_MS,
    });
    return { status, stdout, stderr };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

export const CONFIG = '[router]\npolicy_file = "policies.yaml"\n';
