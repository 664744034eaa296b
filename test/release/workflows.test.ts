/** The workflows call the scripts of any machine, take nothing that moves, and may do no more than they need. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { readVersion } from "../../scripts/release/lock.ts";

const root = resolve(import.meta.dir, "../..");
const folder = join(root, ".github/workflows");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (name: string): Workflow => parse(readFileSync(join(folder, name), "utf8")) as Workflow;
const names = readdirSync(folder).filter((name) => name.endsWith(".yml"));
const jobs = names.flatMap((name) =>
  Object.entries(read(name).jobs).map(([job, its]) => [`${name}: ${job}`, its] as const),
);
const steps = jobs.flatMap(([name, job]) => (job.steps ?? []).map((step) => [name, step] as const));

describe("the workflows", () => {
  test.each(names)("%s may by itself do no more than read the code", (name) => {
    const { permissions } = read(name);
    expect(Object.entries(permissions).filter(([what, may]) => what !== "contents" || may !== "read")).toEqual([]);
  });

  test("pin every action by its commit, and tell its version beside it", () => {
    const lines = names
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
      .filter((line) => /^\s*(?:- )?uses: /.test(line));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines)
      expect(line).toMatch(/uses: (?:[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/ci\.yml)$/);
  });

  test("pin each action to one version everywhere", () => {
    const versions = new Map<string, Set<string>>();
    for (const [, { uses }] of steps) {
      const [action = "", commit = ""] = (uses ?? "").split("@");
      if (action !== "") versions.set(action, (versions.get(action) ?? new Set()).add(commit));
    }
    expect([...versions].filter(([, commits]) => commits.size > 1)).toEqual([]);
  });

  test("leave no credentials in the work tree", () => {
    for (const [, step] of steps.filter(([, { uses }]) => uses?.startsWith("actions/checkout@"))) {
      expect(step.with?.["persist-credentials"]).toBe(false);
    }
  });

  test("put nothing of an event into a shell's text", () => {
    for (const [, { run }] of steps) expect(run ?? "").not.toContain("${{");
  });

  test("call scripts that exist", () => {
    const texts = steps.map(([, { run }]) => run ?? "");
    const scripts = texts.flatMap((text) => text.match(/(?:scripts\/\S+\.ts|\.ci\/run|charts\/\S+)/g) ?? []);
    expect(scripts.toSorted()).toEqual([".ci/run", "charts/arouter", "scripts/release.ts"]);
    for (const path of scripts) expect(existsSync(join(root, path))).toBe(true);
  });

  test("release nothing that was not checked", () => {
    const { jobs: all } = read("release.yml") as unknown as { jobs: Readonly<Record<string, { needs?: string }>> };
    for (const [name, { needs }] of Object.entries(all)) if (name !== "verify") expect(needs).toBe("verify");
  });
});

describe("the version", () => {
  test("is the same in package.json, the Dockerfile and the changelog", () => {
    const version = readVersion();
    expect(readFileSync(join(root, "Dockerfile"), "utf8")).toContain(`ARG VERSION=${version}\n`);
    expect(readFileSync(join(root, "CHANGELOG.md"), "utf8")).toMatch(
      new RegExp(`^## ${version.replaceAll(".", "\\.")}\\b`, "m"),
    );
  });
});
