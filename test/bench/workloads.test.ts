import { describe, expect, test } from "bun:test";
import { createCheck } from "../../bench/answers.ts";
import { policyYaml } from "../../bench/gateway-files.ts";
import { invalidAnswer, streamedAnswer, wholeAnswer } from "../../bench/upstream-answers.ts";
import { type Dialect, markedWorkload, requestBody, SLOW, WORKLOADS, workloadById } from "../../bench/workloads.ts";
import { decide } from "../../src/policy/decide.ts";
import { NO_OVERRIDES } from "../../src/policy/overrides.ts";
import { parsePolicy } from "../../src/policy/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { formatByName } from "../../src/wire/formats.ts";

const ALL = [...WORKLOADS, SLOW, ...["B65536", "C1000", "T1000"].map(workloadById)];
const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };

describe("requests", () => {
  test.each(ALL)("$id says which it is, in either format", (workload) => {
    for (const dialect of [workload.client, workload.upstream]) {
      const body = Buffer.from(requestBody(workload, dialect, workload.upstream));
      expect(markedWorkload(body)).toBe(workload.id);
    }
  });

  test.each([1024, 65_536, 1_048_576, 10_485_760])("one of %d bytes has about that many", (bytes) => {
    const { length } = Buffer.from(requestBody(workloadById(`B${bytes}`), "chat", "chat"));
    expect(length / bytes).toBeWithin(0.8, 1.1);
  });

  test("a name that no workload has is refused", () => {
    expect(() => workloadById("W99")).toThrow("W99");
  });
});

describe("the check of answers", () => {
  const bytesOf = (text: string) => Buffer.from(text);

  test.each(ALL.filter(({ pace }) => pace === null))(
    "$id: refuses what is not the upstream's, byte by byte",
    (workload) => {
      const check = createCheck(workload, false);
      const right = wholeAnswer(workload);
      expect(check(200, bytesOf(right))).toBeNull();
      expect(check(500, bytesOf(right))).toContain("status 500");
      expect(check(200, bytesOf(right.replace(/.$/, " ")))).not.toBeNull();
    },
  );

  test("refuses a stream that lacks an event", () => {
    const workload = workloadById("W2");
    const events = streamedAnswer(workload);
    expect(createCheck(workload, true)(200, bytesOf(events.join("")))).toBeNull();
    expect(createCheck(workload, true)(200, bytesOf(events.toSpliced(40, 1).join("")))).not.toBeNull();
  });

  test.each([
    ["a piece of text", 40],
    ["its reason to end", -3],
    ["its usage", -2],
    ["its end", -1],
  ])("of another gateway refuses a stream without %s", (_what, at) => {
    const workload = workloadById("W2");
    const events = streamedAnswer(workload);
    const check = createCheck(workload, true, true);
    expect(check(200, bytesOf(events.join("")))).toBeNull();
    expect(check(200, bytesOf(events.toSpliced(at, 1).join("")))).not.toBeNull();
  });

  test("of another gateway takes the same words in other bytes", () => {
    const workload = workloadById("W1");
    const indented = JSON.stringify(JSON.parse(wholeAnswer(workload)), null, 2);
    expect(createCheck(workload, true, true)(200, bytesOf(indented))).toBeNull();
    expect(createCheck(workload, true)(200, bytesOf(indented))).not.toBeNull();
  });

  test("refuses the answer that was to be healed", () => {
    const workload = workloadById("W8");
    expect(createCheck(workload, true)(200, bytesOf(invalidAnswer(workload)))).not.toBeNull();
  });
});

function policyOf(rules?: number): Policy {
  const read = parsePolicy([{ name: "policy.yaml", text: policyYaml(rules) }]);
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics));
  return read.policy;
}

function ruleFor(policy: Policy, id: string): string | null {
  const workload = workloadById(id);
  const format = formatByName(workload.client);
  const facts = format.facts(
    format.parseRequest(Buffer.from(requestBody(workload, workload.client, workload.upstream)), LIMITS),
  );
  const provider = (model: string) => (model.startsWith("claude") ? "anthropic" : "openai");
  return decide(policy, {
    facts,
    headers: new Headers(),
    client: "openai-python",
    key: null,
    providerOf: provider,
    providerState: { openai: "closed", anthropic: "closed" },
    requestId: "req_ar_0123456789ABCDEFGHJKMNPQ",
    wallMs: 0,
    overrides: NO_OVERRIDES,
  }).decision.rule;
}

describe("the policy", () => {
  test.each([1, 20, 1000])("of %d rules has so many", (rules) => {
    expect(policyOf(rules).rules).toHaveLength(rules);
  });

  test("has every rule tried before the last one matches", () => {
    const policy = policyOf();
    const plain = WORKLOADS.filter(({ healed }) => !healed).map(({ id }) => id);
    for (const id of [...plain, "B65536"]) expect(ruleFor(policy, id)).toBe("all");
    expect(ruleFor(policyOf(1000), "W1")).toBe("all");
    expect(policy.rules.at(-1)?.name).toBe("all");
  });

  test("heals what is to be healed, in each format", () => {
    const dialects: readonly (readonly [string, Dialect])[] = [
      ["W8", "chat"],
      ["W8a", "messages"],
    ];
    for (const [id, dialect] of dialects) expect(ruleFor(policyOf(), id)).toBe(`healed_${dialect}`);
  });
});
