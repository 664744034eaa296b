/** Runs commands without a process: what they print is kept. */
import type { CliIo } from "../../src/cli/io.ts";

export interface TestIo extends CliIo {
  /** Everything printed so far. */
  readonly out: () => string;
  readonly errors: () => string;
}

export interface TestIoOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly nowMs?: number;
}

/** An io that keeps what is printed; no terminal, an empty environment, a fixed time. */
export function createTestIo(options: TestIoOptions = {}): TestIo {
  const { cwd = "/nowhere", env = {}, isTerminal = false, nowMs = Date.UTC(2026, 10, 22, 12) } = options;
  let out = "";
  let errors = "";
  return {
    stdout: (text) => void (out += text),
    stderr: (text) => void (errors += text),
    env,
    cwd,
    isTerminal,
    now: () => nowMs,
    out: () => out,
    errors: () => errors,
  };
}
