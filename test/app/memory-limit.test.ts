import { expect, test } from "bun:test";
import { memoryLimit, readCgroupLimit } from "../../src/app/memory-limit.ts";

const own = { "/proc/self/cgroup": "0::/system.slice/arouter.service\n" };
const container = { "/proc/self/cgroup": "0::/\n" };
const rows: readonly { name: string; files: Readonly<Record<string, string>>; limit: number | null }[] = [
  { name: "no cgroup", files: {}, limit: null },
  { name: "version 1", files: { "/proc/self/cgroup": "5:memory:/docker/1\n" }, limit: null },
  { name: "no limit", files: { ...container, "/sys/fs/cgroup/memory.max": "max\n" }, limit: null },
  {
    name: "a container's own root",
    files: { ...container, "/sys/fs/cgroup/memory.max": "536870912\n" },
    limit: 536_870_912,
  },
  { name: "no file for it", files: own, limit: null },
  {
    name: "the lowest of those above it",
    files: {
      ...own,
      "/sys/fs/cgroup/system.slice/arouter.service/memory.max": "max\n",
      "/sys/fs/cgroup/system.slice/memory.max": "1000\n",
      "/sys/fs/cgroup/memory.max": "2000\n",
    },
    limit: 1000,
  },
];

for (const { name, files, limit } of rows) {
  test(`the cgroup's limit: ${name}`, () => {
    expect(readCgroupLimit((path) => files[path] ?? null)).toBe(limit);
  });
}

test("the configured limit goes before four fifths of the cgroup's", () => {
  expect(memoryLimit(123, 1000)).toBe(123);
  expect(memoryLimit(null, 1000)).toBe(800);
  expect(memoryLimit(null, null)).toBeNull();
});
