import { expect, test } from "bun:test";
import { usableCores } from "../../src/supervisor/cores.ts";

const files = (texts: Readonly<Record<string, string>>) => (path: string) => texts[path] ?? null;

const status = (list: string): Readonly<Record<string, string>> => ({
  "/proc/self/status": `Name:\tarouter\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`,
});

test.each<[string, number, Readonly<Record<string, string>>]>([
  ["every core of the machine", 8, status("0-7")],
  ["one core", 1, status("3")],
  ["cores here and there", 5, status("0-1,4,6-7")],
  [
    "a quota of the container's own",
    2,
    { ...status("0-7"), "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n" },
  ],
  [
    "part of a core beside whole ones",
    2,
    { ...status("0-7"), "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "250000 100000\n" },
  ],
  [
    "less than a core",
    1,
    { ...status("0-7"), "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n" },
  ],
  ["no quota", 8, { ...status("0-7"), "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" }],
  [
    "the lowest quota on the way up",
    3,
    {
      ...status("0-7"),
      "/proc/self/cgroup": "0::/system.slice/arouter.service\n",
      "/sys/fs/cgroup/system.slice/arouter.service/cpu.max": "600000 100000\n",
      "/sys/fs/cgroup/system.slice/cpu.max": "300000 100000\n",
    },
  ],
  [
    "fewer cores than the quota",
    2,
    { ...status("0-1"), "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "400000 100000\n" },
  ],
  [
    "a quota of version 1 of cgroups",
    3,
    {
      ...status("0-7"),
      "/proc/self/cgroup": "12:cpuset:/b\n4:cpu,cpuacct:/docker/a\n",
      "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_quota_us": "300000\n",
      "/sys/fs/cgroup/cpu/docker/a/cpu.cfs_period_us": "100000\n",
    },
  ],
  [
    "a quota of version 1 as a container sees it, beside a version 2 that has none",
    2,
    {
      ...status("0-7"),
      "/proc/self/cgroup": "4:cpuacct,cpu:/docker/a\n0::/docker/a\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    },
  ],
  [
    "no quota of version 1",
    4,
    {
      ...status("0-3"),
      "/proc/self/cgroup": "2:cpu:/a\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
    },
  ],
])("counts %s: %i", (_, cores, texts) => {
  expect(usableCores(files(texts))).toBe(cores);
});

test("counts at least one core here", () => {
  expect(usableCores()).toBeGreaterThanOrEqual(1);
  expect(usableCores(() => null)).toBeGreaterThanOrEqual(1);
});
