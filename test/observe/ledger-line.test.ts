import { describe, expect, test } from "bun:test";
import { LEDGER_FIELDS, renderLedgerLine } from "../../src/observe/ledger-line.ts";
import { readLedgerLine } from "../../src/observe/ledger-read.ts";
import { ARRIVAL_MS, attemptOf, healedRecord, recordOf, usageOf } from "./support.ts";

const line = (parts: Parameters<typeof recordOf>[0] = {}, keepBody = false) =>
  renderLedgerLine(recordOf(parts), { keepBody });

describe("a line", () => {
  test("of a healed stream is the documents' example, to the byte", () => {
    expect(renderLedgerLine(healedRecord(), { keepBody: false })).toBe(
      '{"v":1,"time":"2026-11-22T12:00:00.123Z","id":"req_ar_000000000000000000000001","trace":"4bf92f3577b34da6a3ce929d0e0e4736",' +
        '"format":"chat","stream":true,"rule":"extract","policy":"3fa9c1d20b7e","outcome":"complete","status":200,"error":null,' +
        '"facts":{"model":"gpt-4.1","provider":"openai","tokens_input":40,"response_format_type":"json_schema","provider_state":{"openai":"closed","anthropic":"closed"},"tested":{}},' +
        '"decision":{"model":"gpt-4o-mini","validate":["json_schema"],"fallback_chain":["gpt-4.1"]},"overrides":[],"model":"gpt-4.1","provider":"openai","heal":"healed","validation":"pass",' +
        '"attempts":[{"model":"gpt-4o-mini","provider":"openai","leg":"primary","class":"invalid","status":200,"ttft_ms":180.2,"ms":412.9,"usage":{"input":40,"cache_read":0,"cache_write":0,"output":12,"reasoning":0,"source":"estimated"},"cost_usd":0.0000132},' +
        '{"model":"gpt-4.1","provider":"openai","leg":"primary","class":"ok","status":200,"ttft_ms":480,"ms":513.6,"usage":{"input":40,"cache_read":0,"cache_write":0,"output":12,"reasoning":0,"source":"reported"},"cost_usd":0.000176}],' +
        '"cost_usd":0.0001892,"saved_usd":-0.0000132,"overhead_ms":0.84,"ttft_ms":926.5,"ms":927.1,"dropped":[],"adapted":[],"tags":{}}',
    );
  });
  test("has the documented fields, in that order", () => {
    const body = { requestBytes: Buffer.from("{}") };
    const fields = Object.keys(JSON.parse(line({ ...body, facts: null }, true)));
    expect(fields).toEqual(Object.keys(LEDGER_FIELDS));
  });
  test("has the ids of conditions that are told last, those of its own policy", () => {
    const facts = { model: "m", tested: { '{"user":"u"}': true } };
    for (const ids of ["abcdef", "abcdefghijkl", "abcdef"]) {
      expect(line({ facts: { tested_ids: ids, ...facts } })).toContain(
        `"facts":{"model":"m","tested":{"{\\"user\\":\\"u\\"}":true},"tested_ids":"${ids}"},`,
      );
    }
  });
  test("names the caller's key where nothing was decided, whose facts would tell it", () => {
    expect(JSON.parse(line({ facts: null, key: "team-a" })).key).toBe("team-a");
    expect(JSON.parse(line({ facts: null })).key).toBeNull();
  });
  test("writes dollars as plain decimals however small", () => {
    expect(line({ costUsd: 1e-7, savedUsd: -2.5e-11 })).toContain('"cost_usd":0.0000001,"saved_usd":-0.000000000025');
  });
  test("keeps the client's body only when asked", () => {
    const requestBytes = Buffer.from('{\n"model": "x"}');
    expect(line({ requestBytes })).not.toContain("request");
    expect(JSON.parse(line({ requestBytes }, true)).request).toBe('{\n"model": "x"}');
    expect(line({ requestBytes }, true)).not.toContain("\n");
  });
  test("leaves out continuations, which are parts of the attempt before", () => {
    const attempts = [attemptOf(), attemptOf({ number: 2, continues: true, usage: null })];
    expect(JSON.parse(line({ attempts })).attempts).toHaveLength(1);
  });
  test("tells long cache writes and service tiers when there are some", () => {
    const attempts = [attemptOf({ usage: usageOf(1, 2, { cacheWriteLong: 7 }), serviceTier: "flex" })];
    expect(JSON.parse(line({ attempts })).attempts[0]).toMatchObject({
      usage: { cache_write_long: 7 },
      service_tier: "flex",
    });
  });
  test("lets the rule's tags win over the caller's", () => {
    expect(JSON.parse(line({ tags: { team: "a" }, callerTags: { team: "z", x: "1" } })).tags).toEqual({
      team: "a",
      x: "1",
    });
  });
});

describe("reading", () => {
  test("gives back what was written", () => {
    const entry = readLedgerLine(renderLedgerLine(healedRecord(), { keepBody: false }));
    expect(entry).toMatchObject({
      wallMs: ARRIVAL_MS,
      format: "chat",
      stream: true,
      rule: "extract",
      outcome: "complete",
      costUsd: 0.0001892,
      savedUsd: -0.0000132,
      attempts: [
        { model: "gpt-4o-mini", class: "invalid", usage: usageOf(40, 12, { source: "estimated" }) },
        { costUsd: 0.000176 },
      ],
    });
  });
  test.each([
    ["torn", line().slice(0, 200)],
    ["of another version", line().replace('"v":1', '"v":2')],
    ["not an object", "[1]"],
    ["without a time", '{"v":1,"id":"a"}'],
    ["with a time that is none", '{"v":1,"id":"a","time":"noon"}'],
    ["empty", ""],
  ])("refuses a line that is %s", (_, text) => {
    expect(readLedgerLine(text)).toBeNull();
  });
  test("takes fields of a wrong type as absent", () => {
    expect(
      readLedgerLine('{"v":1,"id":"a","time":"2026-11-22T12:00:00Z","attempts":{"a":1},"cost_usd":"1","facts":[]}'),
    ).toMatchObject({
      attempts: [],
      costUsd: null,
      facts: null,
    });
  });
});
