import { describe, expect, test } from "bun:test";
import { complaints, configOf } from "./support.ts";

describe("server.workers", () => {
  test.each([
    ["server.workers = 4", 4],
    ['server.workers = "auto"', "auto"],
    ["", 1],
  ] as const)("%p is %p on Linux", (text, workers) => {
    expect(configOf(text).server.workers).toBe(workers);
    expect(complaints(text)).toEqual([]);
  });

  test.each(["darwin", "win32"] as const)("more than one is refused on %s, and auto is not", (platform) => {
    expect(complaints("server.workers = 2", { platform })).toEqual([
      'arouter.toml:1:18: error: server.workers: more than 1 needs Linux; elsewhere leave it at 1 or "auto", and run several behind a load balancer',
    ]);
    expect(complaints("server.workers = 1", { platform })).toEqual([]);
    expect(complaints('server.workers = "auto"', { platform })).toEqual([]);
  });

  test("auto goes with a socket in the file system", () => {
    expect(complaints('listen_addr = "unix:/run/a"\nserver.workers = "auto"')).toEqual([]);
  });
});
