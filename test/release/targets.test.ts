import { describe, expect, test } from "bun:test";
import { findTarget } from "../../scripts/release/targets.ts";

describe("findTarget", () => {
  test.each([
    ["linux-arm64", "@oven/bun-linux-aarch64", "arouter"],
    ["bun-linux-x64-musl", "@oven/bun-linux-x64-musl", "arouter"],
    ["amd64", "@oven/bun-linux-x64", "arouter"],
    ["arm64", "@oven/bun-linux-aarch64", "arouter"],
    ["windows-x64", "@oven/bun-windows-x64", "arouter.exe"],
  ])("takes %s to be built on %s", (name, runtime, file) => {
    expect(findTarget(name)).toMatchObject({ runtime, file });
  });

  test("names the platforms there are when asked for another", () => {
    expect(() => findTarget("linux-riscv64")).toThrow(
      'there is no target "linux-riscv64"; there are linux-x64, linux-arm64',
    );
  });
});
