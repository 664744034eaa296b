/** The workflows call the scripts of any machine, take nothing that moves, and may do no more than they need. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { readVersion } from "../../scripts/release/lock.ts";
import { run } from "../../scripts/release/run.ts";
import { findChecker, findGoProgram } from "../support/shipping.ts";

const root = resolve(import.meta.dir, "../..");
const folder = join(root, ".github/workflows");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly needs?: string | readonly string[];
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
    const scripts = texts.flatMap((text) => text.match(/(?:scripts\/\S+\.(?:ts|sh)|\.ci\/run|charts\/\S+)/g) ?? []);
    expect(scripts.toSorted()).toEqual([
      ".ci/run",
      "charts/arouter",
      "scripts/pin-bases.sh",
      "scripts/release-notes.sh",
      "scripts/release.ts",
    ]);
    for (const path of scripts) expect(existsSync(join(root, path))).toBe(true);
  });

  const release = read("release.yml").jobs;

  test("release nothing that was not checked", () => {
    const { verify, publish, ...makers } = release;
    expect(verify?.uses).toBe("./.github/workflows/ci.yml");
    expect(Object.values(makers).map(({ needs }) => needs)).toEqual(["verify", "verify"]);
    expect(publish?.needs).toEqual(Object.keys(makers));
  });

  test("tell nobody of a release before all of it is there", () => {
    const texts = Object.entries(release).flatMap(([job, its]) =>
      (its.steps ?? []).flatMap(({ run }) => (run?.includes("gh release") === true ? [[job, run] as const] : [])),
    );
    expect(texts.map(([job]) => job)).toEqual(["archives", "publish"]);
    expect(texts[0]?.[1]).toContain('gh release create "$TAG" --draft ');
    expect(texts[1]?.[1]).toBe('gh release edit "$TAG" --draft=false');
  });
});

/** What tells the mistakes of a workflow, its expressions and its shell; it finds shellcheck by itself. */
const actionlint = findGoProgram("actionlint");
const lacking = "missing" in actionlint ? `: ${actionlint.missing}` : "";
test.skipIf(lacking !== "" && process.env["CI"] === undefined)(
  `the workflows are without a mistake (actionlint)${lacking}`,
  async () => {
    if ("missing" in actionlint) expect.unreachable(actionlint.missing);
    const { path: program } = actionlint;
    expect(await run([program, "-no-color", ...names.map((name) => join(folder, name))], { cwd: root })).toBe("");
    // A workflow that asks for what there is not, to see that it looks.
    const wrong = join(scratch, "wrong.yml");
    const text = readFileSync(join(folder, "release.yml"), "utf8");
    writeFileSync(wrong, text.replace("steps.facts.outputs.version", "steps.fatcs.outputs.version"));
    expect(await run([program, "-no-color", wrong], { cwd: root }).catch(String)).toContain("fatcs");
  },
);

const scratch = mkdtempSync(join(tmpdir(), "arouter-workflows-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the bases of the image", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;

  /** Runs the script with these in the place of docker and cosign, which write down how they were called. */
  async function pin(
    docker: string,
    cosign: string,
  ): Promise<{ code: number; out: string; said: string; calls: string }> {
    const programs = mkdtempSync(join(scratch, "programs-"));
    const calls = join(programs, "calls");
    for (const [name, text] of Object.entries({ docker, cosign })) {
      const note = `echo ${name} "$@" >> ${calls}`;
      writeFileSync(join(programs, name), `#!/bin/sh\n${note}\n${text}\n`, { mode: 0o755 });
    }
    const child = Bun.spawn(["sh", join(root, "scripts/pin-bases.sh")], {
      env: { PATH: `${programs}:${process.env["PATH"] ?? ""}` },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, said, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, out, said, calls: existsSync(calls) ? readFileSync(calls, "utf8") : "" };
  }

  /** As buildx prints it; the last argument is the image. */
  const inspect = `for image; do :; done\ncase "$image" in *node*) echo '"${digest("a")}"' ;; *) echo '"${digest("b")}"' ;; esac`;

  test("stand in the Dockerfile by name, so that a release can give their digests", () => {
    const froms = dockerfile.split("\n").filter((line) => line.startsWith("FROM "));
    expect(froms).toEqual([
      "FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS build",
      "FROM --platform=$TARGETPLATFORM ${RUNTIME_BASE}",
    ]);
    expect(dockerfile).toMatch(/^ARG BUILD_BASE=docker\.io\/library\/node:\d+-slim$/m);
    expect(dockerfile).toMatch(/^ARG RUNTIME_BASE=gcr\.io\/distroless\/[\w-]+:nonroot$/m);
  });

  const hadolint = findChecker("hadolint");
  test.skipIf("missing" in hadolint && process.env["CI"] === undefined)(
    `stand in a Dockerfile without a mistake (hadolint)${"missing" in hadolint ? `: ${hadolint.missing}` : ""}`,
    async () => {
      if ("missing" in hadolint) return expect.unreachable(hadolint.missing);
      expect(await run([hadolint.path, join(root, "Dockerfile")], { cwd: root })).toBe("");
      const wrong = join(scratch, "Dockerfile");
      writeFileSync(wrong, `${dockerfile}RUN sudo true\n`);
      expect(await run([hadolint.path, wrong], { cwd: root }).catch(String)).toContain("DL3004");
    },
  );

  test("are pinned to the digests that their names have, and the one that runs is held to its signature", async () => {
    const { code, out, calls } = await pin(inspect, "exit 0");
    const runtime = `gcr.io/distroless/base-nossl-debian12:nonroot@${digest("b")}`;
    expect(out).toBe(`BUILD_BASE=docker.io/library/node:24-slim@${digest("a")}\nRUNTIME_BASE=${runtime}\n`);
    expect(calls).toMatch(
      new RegExp(`^cosign verify .*--certificate-identity \\S+ ${runtime.replaceAll(".", "\\.")}$`, "m"),
    );
    expect(code).toBe(0);
  });

  test.each([
    ["the signature is not good", inspect, "echo no matching signatures >&2; exit 1", "no matching signatures"],
    ["the registry does not answer", "echo no such host >&2; exit 1", "exit 0", "has no digest"],
    ["what comes is no digest", "echo MediaType: x", "exit 0", "has no digest"],
  ])("are not told when %s", async (_, docker, cosign, expected) => {
    const { code, out, said } = await pin(docker, cosign);
    expect(said).toContain(expected);
    expect(out).toBe("");
    expect(code).not.toBe(0);
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

describe("the notes of a release", () => {
  /** Of a changelog beside a copy of the script. */
  function notes(
    version: string,
    changelog: string,
  ): { readonly out: string; readonly said: string; readonly code: number } {
    const copy = mkdtempSync(join(scratch, "notes-"));
    mkdirSync(join(copy, "scripts"));
    copyFileSync(join(root, "scripts/release-notes.sh"), join(copy, "scripts/release-notes.sh"));
    writeFileSync(join(copy, "CHANGELOG.md"), changelog);
    const { stdout, stderr, exitCode } = Bun.spawnSync(["sh", join(copy, "scripts/release-notes.sh"), version]);
    return { out: stdout.toString(), said: stderr.toString(), code: exitCode };
  }
  const CHANGELOG =
    "# Changelog\n\nWhat changes.\n\n## 1.0.10 - today\n\n- Ten.\n\n### More\n\n- Of it.\n\n## 1.0.1\n\n- One.\n";

  test.each([
    ["1.0.10", "- Ten.\n\n### More\n\n- Of it.\n"],
    ["1.0.1", "- One.\n"],
  ])("are what the changelog says of %s, and nothing of others", (version, expected) => {
    expect(notes(version, CHANGELOG)).toEqual({ out: expected, said: "", code: 0 });
  });

  test.each(["1.0", "1.0.2"])("are wanted for %s", (version) => {
    const { out, said, code } = notes(version, CHANGELOG);
    expect(said).toContain(`says nothing of ${version}`);
    expect({ out, code }).toEqual({ out: "", code: 1 });
  });

  test("are there for the version of today", () => {
    expect(notes(readVersion(), readFileSync(join(root, "CHANGELOG.md"), "utf8")).code).toBe(0);
  });
});
