import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAppendFile, type Exclusively } from "../../src/observe/append-file.ts";
import { createFakeClock } from "../support/fake-clock.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "append-"));
});
/** A file that a test leaves open fails whatever test the garbage collector finds it in. */
const opened: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const file of opened.splice(0)) await file.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Parts {
  readonly path?: () => string | null;
  readonly maxBytes?: number | null;
  readonly keep?: number;
  readonly exclusively?: Exclusively;
}

function open({ path = () => join(folder, "log"), maxBytes = null, keep = 2, exclusively }: Parts = {}) {
  const clock = createFakeClock();
  const dropped: [number, string][] = [];
  const file = createAppendFile({
    after: clock.after,
    path,
    maxBytes: () => maxBytes,
    keep: () => keep,
    onDropped: (count, reason) => void dropped.push([count, reason]),
    ...(exclusively === undefined ? {} : { exclusively }),
  });
  opened.push(file);
  return { clock, dropped, ...file };
}

const read = (name: string): string => readFileSync(join(folder, name), "utf8");

describe("writing", () => {
  test("writes by itself within 200 ms, many lines as one", async () => {
    const file = open();
    file.write("a");
    file.write("b");
    expect(file.clock.pending()).toBe(1);
    await file.clock.advance(200);
    await file.flush();
    expect(read("log")).toBe("a\nb\n");
  });
  test("goes on behind what is there, and flushes at close", async () => {
    writeFileSync(join(folder, "log"), "old\n");
    const file = open();
    file.write("new");
    await file.close();
    expect(read("log")).toBe("old\nnew\n");
    expect(file.clock.pending()).toBe(0);
  });
  test("keeps what it writes from other users", async () => {
    const file = open();
    file.write("a");
    await file.close();
    expect(statSync(join(folder, "log")).mode & 0o077).toBe(0);
  });
  test("writes nowhere without a path, and follows a path that changes", async () => {
    let path: string | null = null;
    const file = open({ path: () => path });
    file.write("lost");
    path = join(folder, "one");
    file.write("first");
    await file.flush();
    path = join(folder, "two");
    file.write("second");
    await file.close();
    expect([read("one"), read("two")]).toEqual(["first\n", "second\n"]);
    expect(file.dropped).toEqual([]);
  });
  test("opens the file anew when someone else moved it away", async () => {
    const file = open();
    file.write("a");
    await file.flush();
    renameSync(join(folder, "log"), join(folder, "moved"));
    file.write("b");
    await file.close();
    expect([read("moved"), read("log")]).toEqual(["a\n", "b\n"]);
  });
});

describe("rotation", () => {
  test("keeps the newest files, none larger than allowed, no line in two", async () => {
    const file = open({ maxBytes: 10, keep: 2 });
    for (let number = 0; number < 9; number++) file.write(`line${number}`);
    await file.close();
    // Six bytes a line, so one line a file.
    expect([read("log"), read("log.1"), read("log.2")]).toEqual(["line8\n", "line7\n", "line6\n"]);
    expect(existsSync(join(folder, "log.3"))).toBe(false);
    expect(file.dropped).toEqual([]);
  });
  test("fills a file before it starts the next", async () => {
    const file = open({ maxBytes: 12, keep: 5 });
    for (let number = 0; number < 5; number++) file.write(`line${number}`);
    await file.close();
    expect([read("log.2"), read("log.1"), read("log")]).toEqual(["line0\nline1\n", "line2\nline3\n", "line4\n"]);
  });
  test("writes a line that is larger than a file into one of its own", async () => {
    const file = open({ maxBytes: 10, keep: 5 });
    for (const line of ["a", "x".repeat(50), "b"]) file.write(line);
    await file.close();
    expect([read("log.2"), read("log.1"), read("log")]).toEqual(["a\n", `${"x".repeat(50)}\n`, "b\n"]);
  });
  test("keeps none when none is to be kept", async () => {
    const file = open({ maxBytes: 6, keep: 0 });
    for (const line of ["line0", "line1"]) file.write(line);
    await file.close();
    expect(read("log")).toBe("line1\n");
    expect(existsSync(join(folder, "log.1"))).toBe(false);
  });
  test("counts what is in the file from before", async () => {
    writeFileSync(join(folder, "log"), "123456789\n");
    const file = open({ maxBytes: 12, keep: 1 });
    file.write("next");
    await file.close();
    expect([read("log.1"), read("log")]).toEqual(["123456789\n", "next\n"]);
  });
});

describe("repair", () => {
  test.each([
    ["a torn last line", 'whole\n{"v":1,"ti', "whole\n"],
    ["nothing but a torn line", "torn", ""],
    ["a torn line longer than a read", `whole\n${"x".repeat(200_000)}`, "whole\n"],
  ])("removes %s at start, and counts it", async (_, before, after) => {
    writeFileSync(join(folder, "log"), before);
    const file = open();
    await file.start();
    expect(read("log")).toBe(after);
    expect(file.dropped).toEqual([[1, "a torn line was removed"]]);
    file.write("next");
    await file.close();
    expect(read("log")).toBe(`${after}next\n`);
  });
  test("leaves a whole file alone", async () => {
    writeFileSync(join(folder, "log"), "a\nb\n");
    const file = open();
    await file.start();
    await file.close();
    expect(read("log")).toBe("a\nb\n");
    expect(file.dropped).toEqual([]);
  });
});

describe("a file that cannot be written", () => {
  test("full disk: the lines are counted, nothing is thrown", async () => {
    if (!existsSync("/dev/full")) return;
    const file = open({ path: () => "/dev/full" });
    file.write("a");
    file.write("b");
    await file.flush();
    file.write("c");
    await file.close();
    expect(file.dropped).toEqual([
      [2, "no space is left on the disk"],
      [1, "no space is left on the disk"],
    ]);
  });
  test("a folder that does not exist is told at start, and taken once it is there", async () => {
    const file = open({ path: () => join(folder, "later", "log") });
    await file.start();
    expect(file.dropped).toEqual([[0, "the folder does not exist"]]);
    file.write("lost");
    await file.flush();
    mkdirSync(join(folder, "later"));
    file.write("kept");
    await file.close();
    expect(read("later/log")).toBe("kept\n");
    expect(file.dropped.at(-1)).toEqual([1, "the folder does not exist"]);
  });
  test("a folder in its place", async () => {
    const file = open({ path: () => folder });
    file.write("a");
    await file.close();
    expect(file.dropped).toEqual([[1, "a folder has its name"]]);
  });
});

describe("several writers of one file", () => {
  /** One after the other, as the supervisor grants it. */
  const createTurns = (): Exclusively => {
    let last: Promise<unknown> = Promise.resolve();
    return (work) => {
      const run = last.then(() => work(true));
      last = run.catch(() => undefined);
      return run;
    };
  };
  const unguarded: Exclusively = (work) => work(false);

  test("rotate in turns and lose nothing; no file is over its size", async () => {
    const exclusively = createTurns();
    const files = [1, 2, 3].map(() => open({ exclusively, maxBytes: 100, keep: 100 }));
    const written: string[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(
        files.map((file, index) => {
          for (let line = 0; line < 3; line += 1) {
            written.push(`${index}-${batch}-${line}`);
            file.write(`${index}-${batch}-${line}`);
          }
          return file.flush();
        }),
      );
    }
    const names = readdirSync(folder);
    const lines = names.flatMap((name) =>
      read(name)
        .split("\n")
        .filter((line) => line !== ""),
    );
    expect(lines.toSorted((a, b) => a.localeCompare(b))).toEqual(written.toSorted((a, b) => a.localeCompare(b)));
    for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
    expect(names.length).toBeGreaterThan(10);
    expect(files.flatMap(({ dropped }) => dropped)).toEqual([]);
  });

  test("remove the line that one of them tore, and keep what the others wrote before", async () => {
    const exclusively = createTurns();
    const [first, second] = [open({ exclusively }), open({ exclusively })];
    first.write("first");
    await first.flush();
    second.write("second");
    await second.flush();
    appendFileSync(join(folder, "log"), "torn in the mid");
    first.write("third");
    await first.flush();
    expect(read("log")).toBe("first\nsecond\nthird\n");
    expect(first.dropped).toEqual([[1, "a torn line was removed"]]);
  });

  test("without turns only append: they neither rotate nor remove", async () => {
    writeFileSync(join(folder, "log"), "being written by anoth");
    const file = open({ exclusively: unguarded, maxBytes: 10 });
    await file.start();
    file.write("er\nbehind it");
    await file.flush();
    expect(read("log")).toBe("being written by another\nbehind it\n");
    expect(file.dropped).toEqual([]);
  });
});

test("what is no regular file is never rotated, however much went through it", async () => {
  const path = join(folder, "log");
  Bun.spawnSync(["mkfifo", path]);
  const file = open({ maxBytes: 10 });
  for (let turn = 0; turn < 3; turn += 1) {
    file.write("0123456789");
    await file.flush();
  }
  expect(readdirSync(folder)).toEqual(["log"]);
  expect(statSync(path).isFIFO()).toBe(true);
  expect(file.dropped).toEqual([]);
});
