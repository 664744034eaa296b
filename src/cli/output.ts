/**
 * Standard output and standard error of this process. Bun loads its streams for them, and with these those of sockets, when
 * they are first touched, which costs a start several ms; so they are touched late.
 */
import { fstatSync, statSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { EXIT } from "./exit.ts";

export type OutputName = "stdout" | "stderr";

const DESCRIPTORS = { stdout: 1, stderr: 2 } as const;
/** What goes to a descriptor itself before its stream is opened: far less than a pipe holds, so that no reader can make it wait. */
const DIRECT_BYTES = 2048;

const opened = new Map<OutputName, NodeJS.WriteStream>();

/** The stream, its errors handled. */
export function openOutput(name: OutputName): NodeJS.WriteStream {
  let stream = opened.get(name);
  if (stream === undefined) {
    stream = process[name];
    stream.on("error", onOutputError);
    opened.set(name, stream);
  }
  return stream;
}

/** A reader that has seen enough (`| head`) is no failure. A full disk is one, but nothing that a gateway may die of. */
function onOutputError({ code }: NodeJS.ErrnoException): void {
  if (code !== "EPIPE") process.exitCode = EXIT.no;
}

/** Writes texts in their order: the first few bytes directly, all others through the stream. */
export function createOutput(name: OutputName): (text: string) => void {
  let directBytes = DIRECT_BYTES;
  return (text) => {
    const bytes = Buffer.from(text);
    let written = 0;
    if (!opened.has(name) && bytes.length <= directBytes) {
      directBytes -= bytes.length;
      written = writeDirectly(DESCRIPTORS[name], bytes);
    }
    if (written < bytes.length) openOutput(name).write(bytes.subarray(written));
  };
}

/** Bytes that were taken; none when it fails, so that the stream meets the same failure and tells it. */
function writeDirectly(descriptor: number, bytes: Uint8Array): number {
  try {
    return writeSync(descriptor, bytes);
  } catch {
    return 0;
  }
}

/** Whether people read standard output. */
export function isTerminal(): boolean {
  try {
    const output = fstatSync(DESCRIPTORS.stdout);
    // Files, pipes and the null device need no stream to tell.
    if (!output.isCharacterDevice() || output.rdev === statSync(devNull).rdev) return false;
  } catch {
    return false;
  }
  return process.stdout.isTTY;
}
