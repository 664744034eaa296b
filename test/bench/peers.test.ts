import { describe, expect, test } from "bun:test";
import { readPeer } from "../../bench/peers.ts";

describe("--peer", () => {
  test("reads name, port and path", () => {
    expect(readPeer("other=http://127.0.0.1:4000/openai/")).toMatchObject({
      name: "other",
      port: 4000,
      pid: null,
      cpuUs: null,
      peer: { path: "/openai", model: null },
    });
  });

  test("reads a process and counts its time", () => {
    const { pid, cpuUs, peer } = readPeer(`other=http://localhost:4000,${process.pid},openai/gpt-5.4-mini`);
    expect(pid).toBe(process.pid);
    expect(peer).toEqual({ path: "", model: "openai/gpt-5.4-mini" });
    const before = cpuUs?.() ?? Number.NaN;
    for (let at = 0; at < 3e6; at += 1) Math.sqrt(at);
    expect(cpuUs?.()).toBeGreaterThan(before);
  });

  test("reads a model without a process", () => {
    expect(readPeer("other=http://127.0.0.1:1,,m").peer?.model).toBe("m");
  });

  test.each(["other", "=http://127.0.0.1:1", "other=127.0.0.1", "other=http://example.com", "other=https://127.0.0.1"])(
    "refuses %s",
    (text) => {
      expect(() => readPeer(text)).toThrow("--peer");
    },
  );
});
