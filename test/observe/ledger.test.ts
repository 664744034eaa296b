import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GatewayEvent } from "../../src/base/events.ts";
import { createLedger, type LedgerSettings } from "../../src/observe/ledger.ts";
import { readLedgerLine } from "../../src/observe/ledger-read.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { recordOf } from "./support.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(parts: Partial<LedgerSettings> = {}, redact = (text: string) => text) {
  const clock = createFakeClock();
  const events: GatewayEvent[] = [];
  const file = join(folder, "ledger.jsonl");
  const settings: LedgerSettings = { file, maxBytes: 1e9, keep: 5, requests: false, ...parts };
  const ledger = createLedger({
    after: clock.after,
    settings: () => settings,
    emit: (event) => void events.push(event),
    redact,
  });
  return { ledger, events, read: () => readFileSync(file, "utf8") };
}

describe("the ledger", () => {
  test("keeps a line for each request, and nothing of other events", async () => {
    const { ledger, read } = open();
    const record = recordOf();
    ledger.observe({ type: "exchange-started", record });
    ledger.observe({ type: "decision-made", record });
    ledger.observe({ type: "exchange-finished", record });
    await ledger.close();
    expect(read().trimEnd().split("\n").map(readLedgerLine)).toMatchObject([{ id: record.id }]);
  });
  test("holds no body unless it is told to", async () => {
    const record = recordOf({ requestBytes: Buffer.from('{"messages":"the prompt"}') });
    const plain = open();
    plain.ledger.observe({ type: "exchange-finished", record });
    await plain.ledger.close();
    expect(plain.read()).not.toContain("the prompt");
    rmSync(join(folder, "ledger.jsonl"));
    const keeping = open({ requests: true });
    keeping.ledger.observe({ type: "exchange-finished", record });
    await keeping.ledger.close();
    expect(readLedgerLine(keeping.read())?.request).toBe('{"messages":"the prompt"}');
  });
  test("takes secrets out of every line", async () => {
    const { ledger, read } = open({}, (text) => text.replaceAll("sk-live-1", "[redacted]"));
    ledger.observe({
      type: "exchange-finished",
      record: recordOf({ modelRequested: "x", callerTags: { a: "sk-live-1" } }),
    });
    await ledger.close();
    expect(read()).toContain('"tags":{"a":"[redacted]"}');
  });
  test("tells what it could not write, and no more", async () => {
    const { ledger, events } = open({ file: join(folder, "missing", "ledger.jsonl") });
    ledger.observe({ type: "exchange-finished", record: recordOf() });
    await ledger.close();
    expect(events).toEqual([{ type: "ledger-dropped", count: 1, reason: "the folder does not exist" }]);
  });
  test("costs nothing when there is none: the line is not even rendered", () => {
    const { ledger } = open({ file: null }, () => {
      throw new Error("rendered");
    });
    expect(() => ledger.observe({ type: "exchange-finished", record: recordOf() })).not.toThrow();
  });
});

/** Kills; `AROUTER_LONG=1` asks for all of them. */
const KILLS = process.env["AROUTER_LONG"] === "1" ? 100 : 10;

test(
  `kill -9 at ${KILLS} random moments loses no line that was flushed, and leaves no torn one behind`,
  async () => {
    const file = join(folder, "ledger.jsonl");
    const writer = fileURLToPath(import.meta.resolve("./ledger-writer.ts"));
    let flushed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = Bun.spawn([process.execPath, writer, file, String(flushed)], { stdout: "pipe", stderr: "inherit" });
      const moment = { left: 1 + Math.floor(Math.random() * 12) };
      let output = "";
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) {
        output += decoder.decode(chunk, { stream: true });
        moment.left -= 1;
        // Reads come at moments of their own, so the kill falls anywhere between two flushes or into one.
        if (moment.left === 0) child.kill("SIGKILL");
      }
      await child.exited;
      const told = output.split("\n").slice(0, -1).map(Number);
      flushed = Math.max(flushed, ...told);

      const events: GatewayEvent[] = [];
      const ledger = createLedger({
        after: createFakeClock().after,
        settings: () => ({ file, maxBytes: 1e9, keep: 1, requests: false }),
        emit: (event) => void events.push(event),
        redact: (text) => text,
      });
      await ledger.start();
      await ledger.close();
      const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
      const entries = lines.map(readLedgerLine);
      expect(entries.every((entry) => entry !== null)).toBe(true);
      expect(entries.length).toBeGreaterThanOrEqual(flushed);
      // Each line costs a dollar, so the total is the number of lines; ids are 0, 1, 2, … without a gap.
      expect(entries.reduce((sum, entry) => sum + (entry?.costUsd ?? 0), 0)).toBe(entries.length);
      expect(entries.map((entry) => Number(entry?.id))).toEqual(entries.map((_, index) => index));
      flushed = entries.length;
    }
    expect(flushed).toBeGreaterThan(KILLS);
  },
  KILLS * 3_000,
);
