/** The files to run the gateway with: compose, systemd, and the image's own configuration. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { run } from "../../scripts/release/run.ts";
import { configOf } from "../config/support.ts";
import { findGoProgram } from "../support/shipping.ts";

const root = resolve(import.meta.dir, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Seconds that the gateway's defaults may take to drain. */
function drainSeconds(): number {
  const { drain } = configOf("");
  return (drain.delayMs + drain.timeoutMs) / 1000;
}

describe("docker compose", () => {
  interface Service {
    readonly image: string;
    readonly build?: string;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly stop_grace_period?: string;
    readonly depends_on?: readonly string[];
    readonly ulimits?: Readonly<Record<string, number>>;
  }
  const folder = join(root, "deploy/compose");
  const { services } = parse(read("deploy/compose/compose.yaml")) as { services: Readonly<Record<string, Service>> };

  test("has the gateway, Prometheus, Grafana and a collector", () => {
    expect(Object.keys(services).toSorted()).toEqual(["arouter", "collector", "grafana", "prometheus"]);
  });

  test("mounts only what there is", () => {
    const sources = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(":")[0] ?? ""),
    );
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((path) => !existsSync(resolve(folder, path)))).toEqual([]);
    expect(existsSync(resolve(folder, services["arouter"]?.build ?? "", "Dockerfile"))).toBe(true);
  });

  test("opens its ports on this machine alone", () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(ports.filter((port) => !port.startsWith("127.0.0.1:"))).toEqual([]);
  });

  test("names a version of each image that it does not build", () => {
    const images = Object.values(services).flatMap(({ image, build }) => (build === undefined ? [image] : []));
    for (const image of images) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });

  test("gives the gateway the time that it takes to drain", () => {
    expect(Number.parseInt(services["arouter"]?.stop_grace_period ?? "", 10)).toBeGreaterThan(drainSeconds());
  });

  test("has the gateway write no core, which would hold its keys", () => {
    expect(services["arouter"]?.ulimits?.["core"]).toBe(0);
  });

  test("has a configuration that the gateway takes, and addresses that the others know", () => {
    const config = configOf(read("deploy/compose/arouter/arouter.toml"));
    expect(config.listenAddr).toBe("0.0.0.0:8080");
    const { scrape_configs } = parse(read("deploy/compose/prometheus.yml")) as {
      scrape_configs: readonly { static_configs: readonly { targets: readonly string[] }[] }[];
    };
    const port = (config.metrics.listenAddr ?? "").split(":").at(-1);
    expect(scrape_configs[0]?.static_configs[0]?.targets).toEqual([`arouter:${port}`]);
    const collector = parse(read("deploy/compose/collector.yaml")) as {
      receivers: { otlp: { protocols: { http: { endpoint: string } } } };
    };
    const otlpPort = new URL(config.telemetry.otlpEndpoint ?? "").port;
    expect(collector.receivers.otlp.protocols.http.endpoint).toBe(`0.0.0.0:${otlpPort}`);
  });

  test("waits only for services that there are", () => {
    const waits = Object.values(services).flatMap(({ depends_on = [] }) => depends_on);
    expect(waits.length).toBeGreaterThan(1);
    expect(waits.filter((name) => !Object.hasOwn(services, name))).toEqual([]);
  });

  const reader = findGoProgram("compose-spec");
  const lacking = "missing" in reader ? `: ${reader.missing}` : "";
  test.skipIf(lacking !== "" && process.env["CI"] === undefined)(
    `is what docker compose takes (its own reader, with the schema of the specification)${lacking}`,
    async () => {
      if ("missing" in reader) return expect.unreachable(reader.missing);
      const read = (file: string): Promise<string> => run([reader.path, "-format", "json", file], { cwd: folder });
      const model = JSON.parse(await read("compose.yaml")) as { name: string; services: Record<string, unknown> };
      expect(Object.keys(model.services).toSorted()).toEqual(["arouter", "collector", "grafana", "prometheus"]);
      expect(model.services["arouter"]).toMatchObject({ read_only: true, cap_drop: ["ALL"], stop_grace_period: "75s" });
      // A key that is misspelt, to see that it looks.
      const scratch = mkdtempSync(join(tmpdir(), "arouter-compose-"));
      try {
        const wrong = join(scratch, "compose.yaml");
        writeFileSync(wrong, readFileSync(join(folder, "compose.yaml"), "utf8").replace("cap_drop:", "cap_dorp:"));
        expect(await read(wrong).catch(String)).toContain("cap_dorp");
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
  );

  test("provides Grafana with the source of the dashboard's data", () => {
    for (const path of readdirSync(join(folder, "grafana"), { recursive: true, encoding: "utf8" })) {
      if (path.endsWith(".yaml"))
        expect(parse(read(join("deploy/compose/grafana", path)))).toMatchObject({ apiVersion: 1 });
    }
  });

  test.skipIf(Bun.which("promtool") === null)("has a configuration that Prometheus takes (promtool)", async () => {
    await run(["promtool", "check", "config", "--syntax-only", join(folder, "prometheus.yml")], { cwd: root });
  });
});

describe("the systemd unit", () => {
  const unit = read("deploy/systemd/arouter.service");

  test("gives the gateway the time that it takes to drain", () => {
    expect(Number(/^TimeoutStopSec=(\d+)s$/m.exec(unit)?.[1])).toBeGreaterThan(drainSeconds());
  });

  test("has the gateway write no core, which would hold its keys", () => {
    expect(unit).toMatch(/^LimitCORE=0$/m);
  });

  test.skipIf(Bun.which("systemd-analyze") === null)("is one that systemd understands (systemd-analyze)", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "arouter-unit-"));
    try {
      // The binary need not be installed for this.
      writeFileSync(join(scratch, "arouter.service"), unit.replaceAll("/usr/local/bin/arouter", "/bin/true"));
      const verify = Bun.spawn(["systemd-analyze", "verify", join(scratch, "arouter.service")], {
        stdout: "pipe",
        stderr: "pipe",
      });
      const said = await new Response(verify.stderr).text();
      expect(said.split("\n").filter((line) => line.includes("arouter.service"))).toEqual([]);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });

  const analyze = Bun.which("systemd-analyze");
  test.skipIf(analyze === null)("leaves little open, as systemd judges it (systemd-analyze security)", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "arouter-unit-"));
    const judge = (text: string): Promise<string> => {
      const file = join(scratch, "arouter.service");
      writeFileSync(file, text.replaceAll("/usr/local/bin/arouter", "/bin/true"));
      return run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", file], {
        cwd: root,
      });
    };
    try {
      expect(await judge(unit)).toContain("Overall exposure level");
      expect(await judge(unit.replace(/^(?:SystemCallFilter|Protect\w+)=.*\n/gm, "")).catch(() => "refused")).toBe(
        "refused",
      );
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

describe("the image's configuration", () => {
  test("listens on every address, with the policy beside it", () => {
    const config = configOf(read("deploy/image/arouter.toml"));
    expect(config.listenAddr).toBe("0.0.0.0:8080");
    expect(config.router.policyFile).toBe("/etc/app/policies.yaml");
  });
});
