/**
 * The dashboard in a real Chromium, over a gateway that runs. `AROUTER_SCREENSHOTS=1` takes the pictures of docs/screenshots
 * anew.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openBrowser } from "../support/browser.ts";
import { readExposition, type Sample, sumOf } from "../support/exposition.ts";
import { startGateway } from "../support/gateway.ts";
import { type SimulatedGateway, startSimulatedGateway } from "../support/simulated.ts";
import { findDebian, requireTool } from "../support/tools.ts";

const limitMs = 60_000;
const { path, why } = requireTool(findDebian("chromium"));
const screenshots =
  process.env["AROUTER_SCREENSHOTS"] === "1" ? resolve(import.meta.dir, "../../docs/screenshots") : null;
const folder = mkdtempSync(join(tmpdir(), "arouter-dashboard-"));
const ledger = join(folder, "ledger.jsonl");

const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>';

const POLICIES = `
version: 1
rules:
  - name: small
    when: { tokens_input_lt: 200, no_tools: true, response_format_type: text }
    then: { model: gpt-6-luna }
  - name: checked
    when: { response_format_type: json_schema }
    then: { model: gpt-6-luna, validate: [json_schema], fallback_chain: [gpt-6-sol] }
  - name: never
    when: { prompt_contains: ${JSON.stringify(HOSTILE)} }
    then: { model: claude-haiku-5-5, hedge: { after: 800ms }, timeout: { ttft: 5s, total: 30s } }
`;

/** A request of yesterday's, by somebody who named rule and model as nobody should. */
const oldLine = {
  v: 1,
  time: new Date(Date.now() - 5000).toISOString(),
  id: "req_ar_OLD",
  trace: "0".repeat(31) + "1",
  format: "chat",
  stream: false,
  rule: HOSTILE,
  policy: "000000000000",
  outcome: "complete",
  status: 200,
  error: null,
  facts: { model: HOSTILE, tool_names: [HOSTILE] },
  decision: { model: HOSTILE },
  overrides: [],
  model: HOSTILE,
  provider: "openai",
  heal: null,
  validation: null,
  attempts: [
    {
      model: HOSTILE,
      provider: "openai",
      leg: "primary",
      class: "ok",
      status: 200,
      ttft_ms: null,
      ms: 12,
      usage: null,
      cost_usd: null,
    },
  ],
  cost_usd: 0.5,
  saved_usd: 0.25,
  overhead_ms: 1,
  ttft_ms: null,
  ms: 14,
  dropped: [],
  adapted: [],
  tags: { [HOSTILE]: HOSTILE },
};

const schema = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
};

async function ask(gateway: SimulatedGateway, content: string, more: object = {}): Promise<Response> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content }], ...more }),
  });
  await response.text();
  return response;
}

async function readMetrics(gateway: SimulatedGateway): Promise<readonly Sample[]> {
  return readExposition(await (await fetch(`${gateway.url}/metrics`)).text());
}

/** Words of the console that should not be there, and requests that left the gateway. */
function watch(page: Page, origin: string): readonly string[] {
  const found: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") found.push(message.text());
  });
  page.on("pageerror", (error) => found.push(String(error)));
  page.on("dialog", (dialog) => found.push(`dialog ${dialog.message()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin)) found.push(request.url());
  });
  return found;
}

/** Waits until ten requests are listed and something is saved. @throws Error when the gateway is older than `ageMs` by then */
async function untilBusy(url: string, ageMs: number): Promise<void> {
  for (;;) {
    const { now, started, recent, totals } = (await (await fetch(`${url}/dashboard/data.json`)).json()) as {
      readonly now: number;
      readonly started: number;
      readonly recent: readonly unknown[];
      readonly totals: { readonly saved_usd: number };
    };
    if (now - started > ageMs) throw new Error(`${recent.length} requests in ${now - started} ms`);
    if (recent.length >= 10 && totals.saved_usd > 0) return;
    await Bun.sleep(100);
  }
}

const tile = (page: Page, key: string) => page.locator(`#totals .${key} .value`);
const figure = async (page: Page, key: string): Promise<number> =>
  Number(await tile(page, key).getAttribute("data-value"));

describe.skipIf(path === null)(`dashboard in Chromium${why}`, () => {
  let browser: Browser;
  let gateway: SimulatedGateway;

  const open = async (
    options: BrowserContextOptions = {},
  ): Promise<{ readonly page: Page; readonly problems: readonly string[] }> => {
    const page = await browser.newPage({ viewport: { width: 1360, height: 900 }, ...options });
    const problems = watch(page, gateway.url);
    await page.goto(`${gateway.url}/dashboard`);
    await page.locator("#connection.good").waitFor();
    return { page, problems };
  };

  beforeAll(async () => {
    writeFileSync(ledger, `${JSON.stringify(oldLine)}\n`);
    browser = await openBrowser(path ?? "");
    gateway = await startSimulatedGateway({
      policies: POLICIES,
      config: `
[router]
policy_file = "policies.yaml"
[drain]
delay = "0s"
[ledger]
file = "${ledger}"
`,
    });
    for (let index = 0; index < 6; index += 1) await ask(gateway, `question ${index}`);
    await ask(gateway, "streamed", { stream: true, stream_options: { include_usage: true } });
    await ask(gateway, "again [[sim: status 503 times=1]]");
    await ask(gateway, "Ada [[sim: wrong-json model=gpt-6-luna]]", {
      response_format: { type: "json_schema", json_schema: { name: "p", strict: true, schema } },
    });
    await ask(gateway, "hello", { model: HOSTILE });
    await ask(gateway, "hello", { model: "claude-sonnet-5-5", messages: [] });
    await ask(gateway, "hello [[sim: status 404]]");
  }, limitMs);
  afterAll(async () => {
    await browser.close();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test(
    "shows the figures of /metrics",
    async () => {
      const { page, problems } = await open();
      const samples = await readMetrics(gateway);
      const saved = sumOf(samples, "arouter_saved_usd_total") - sumOf(samples, "arouter_lost_usd_total");
      const tokens = (kind: string): number => sumOf(samples, "arouter_tokens_total", { kind });
      const errors = samples
        .filter(({ name, labels }) => name === "arouter_requests_total" && Number(labels["status"]) >= 400)
        .reduce((sum, { value }) => sum + value, 0);
      expect(await figure(page, "requests")).toBe(sumOf(samples, "arouter_requests_total"));
      expect(await figure(page, "requests")).toBe(12);
      expect(await figure(page, "errors")).toBe(errors);
      expect(errors).toBe(2);
      expect(await figure(page, "tokens_input")).toBe(tokens("input") + tokens("cache_read") + tokens("cache_write"));
      expect(await figure(page, "tokens_output")).toBe(tokens("output"));
      expect(await figure(page, "cost_usd")).toBeCloseTo(sumOf(samples, "arouter_cost_usd_total"), 12);
      expect(await figure(page, "saved_usd")).toBeCloseTo(saved, 12);
      expect(saved).toBeGreaterThan(0);
      for (const rule of ["small", "checked", "never"]) {
        const hits = page.locator(`#rules tr[data-key="${rule}"] td`).nth(2);
        expect(await hits.textContent()).toBe(String(sumOf(samples, "arouter_requests_total", { rule })));
      }
      expect(await page.locator('#rules tr[data-key="never"] td').nth(1).textContent()).toBe(
        "claude-haiku-5-5 · hedge: after 800ms · timeout: total 30s, ttft 5s",
      );
      for (const model of ["gpt-6-luna", "gpt-6-sol"]) {
        const requests = page.locator(`#models tr[data-key="${model}"] td`).first();
        expect(await requests.textContent()).toBe(String(sumOf(samples, "arouter_requests_total", { model })));
      }
      expect(problems).toEqual([]);
      await page.close();
    },
    limitMs,
  );

  test(
    "keeps up without being loaded again, and without rebuilding what stays",
    async () => {
      const { page, problems } = await open();
      const before = await figure(page, "requests");
      await page.evaluate(() => {
        for (const node of document.querySelectorAll("#recent tbody tr, #totals .tile, #rules tr, figure svg"))
          node.setAttribute("data-old", "");
      });
      const marked = await page.locator("[data-old]").count();
      await ask(gateway, "one more");
      await page.waitForFunction(
        (value) => document.querySelector("#totals .requests .value")?.getAttribute("data-value") === value,
        String(before + 1),
      );
      expect(await page.locator("[data-old]").count()).toBe(marked);
      expect(await page.locator("#recent tbody tr").first().getAttribute("data-old")).toBeNull();
      await page.click("#pause");
      await ask(gateway, "unseen");
      await page.waitForTimeout(2500);
      expect(await figure(page, "requests")).toBe(before + 1);
      await page.click("#pause");
      await page.waitForFunction(
        (value) => document.querySelector("#totals .requests .value")?.getAttribute("data-value") === value,
        String(before + 2),
      );
      expect(problems).toEqual([]);
      await page.close();
    },
    limitMs,
  );

  test(
    "runs no script out of names, and shows them as they are",
    async () => {
      const { page, problems } = await open();
      const rows = page.locator("#recent tbody tr");
      expect(await rows.filter({ hasText: HOSTILE }).count()).toBeGreaterThan(1);
      for (const by of ["rule", "model", "provider"]) {
        await page.check(`input[name="by"][value="${by}"]`, { force: true });
        await page.waitForTimeout(150);
      }
      await page.check('input[name="by"][value="rule"]', { force: true });
      await page.locator("#legend li").filter({ hasText: HOSTILE }).waitFor();
      await page.locator('#recent tr[data-key="req_ar_OLD"] button').click();
      await page.locator("#detail-body section").first().waitFor();
      expect(await page.locator("#detail-body").textContent()).toContain(HOSTILE);
      expect(await page.locator("#rules").textContent()).toContain(HOSTILE);
      expect(await page.evaluate(() => Reflect.get(window, "hacked") as unknown)).toBeUndefined();
      expect(await page.locator("main img, main script, dialog img, dialog script").count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    },
    limitMs,
  );

  test(
    "opens a request into its explanation, by keys alone",
    async () => {
      const { page, problems } = await open();
      const row = page.locator("#recent tbody tr").filter({ hasText: "healed" });
      const button = row.locator("button");
      await button.focus();
      await page.keyboard.press("Enter");
      const body = page.locator("#detail-body");
      await body.locator("section").first().waitFor();
      const text = (await body.textContent()) ?? "";
      for (const part of [
        "gpt-6-luna=invalid",
        "gpt-6-sol=ok",
        "✓ matched",
        "not text",
        "response_format_type",
        "saved",
      ])
        expect(text).toContain(part);
      expect(await body.locator(".timeline rect").count()).toBe(2);
      await page.keyboard.press("Escape");
      expect(await page.locator("#detail").getAttribute("open")).toBeNull();
      expect(await button.evaluate((node) => node === document.activeElement)).toBe(true);
      expect(problems).toEqual([]);
      await page.close();
    },
    limitMs,
  );

  test(
    "has charts that keys and ears can read",
    async () => {
      const { page } = await open();
      const chart = page.locator("#chart-requests svg");
      expect(await chart.getAttribute("aria-label")).toMatch(/^Requests: \d+ in all\. .*small \d+/);
      await chart.focus();
      await page.keyboard.press("End");
      await page.keyboard.press("ArrowLeft");
      expect(await page.locator("#chart-requests .tip").isVisible()).toBe(true);
      expect(await page.locator("#chart-requests .spoken").textContent()).toMatch(/^\d\d:\d\d:\d\d: /);
      await page.keyboard.press("Escape");
      expect(await page.locator("#chart-requests .tip").isVisible()).toBe(false);
      const unnamed = await page.evaluate(() => {
        const controls = [...document.querySelectorAll("button, input, [tabindex='0']")];
        const nameOf = (node: Element): string =>
          node.getAttribute("aria-label") ??
          node.getAttribute("aria-labelledby") ??
          (node.closest("label")?.textContent || node.textContent || "");
        return controls.filter((node) => nameOf(node).trim() === "").map((node) => node.outerHTML.slice(0, 80));
      });
      expect(unnamed).toEqual([]);
      await page.close();
    },
    limitMs,
  );

  test(
    "fits a phone, and keeps to the system's dark",
    async () => {
      const { page } = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.emulateMedia({ colorScheme: "light" });
      const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(dark).not.toBe(light);
      await page.close();
    },
    limitMs,
  );

  test(
    "has text that stands out, light and dark",
    async () => {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page } = await open({ colorScheme });
        const weak = await page.evaluate(() => {
          const luminance = (color: string): number => {
            const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map(Number).map((value) => {
              const part = value / 255;
              return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (node: Element | null): string => {
            const color = node === null ? "rgb(255, 255, 255)" : getComputedStyle(node).backgroundColor;
            return color === "rgba(0, 0, 0, 0)" && node !== null ? behind(node.parentElement) : color;
          };
          const texts = [
            ...document.querySelectorAll(
              "th, td, dt, dd, h1, h2, p, label, legend, button, figcaption span, .legend span",
            ),
          ];
          return texts
            .filter((node) => node.textContent?.trim() !== "" && node.getClientRects().length > 0)
            .map((node) => {
              const [a, b] = [luminance(getComputedStyle(node).color), luminance(behind(node))].toSorted(
                (x, y) => y - x,
              );
              return { text: node.textContent?.trim().slice(0, 30), ratio: ((a ?? 0) + 0.05) / ((b ?? 0) + 0.05) };
            })
            .filter(({ ratio }) => ratio < 4.5);
        });
        expect(weak).toEqual([]);
        await page.close();
      }
    },
    limitMs,
  );

  test(
    "says so when the gateway is gone, and goes on when it is back",
    async () => {
      const { page } = await open();
      await page.route("**/data.json*", (route) => route.abort());
      await page.locator("#connection.bad").waitFor();
      await page.unroute("**/data.json*");
      await page.locator("#connection.good").waitFor();
      await page.close();
    },
    limitMs,
  );

  test(
    "is busy ten seconds after `arouter demo --traffic`",
    async () => {
      const demo = await startGateway({ config: "", args: ["demo", "--traffic", "--listen", "127.0.0.1:0"] });
      const sizes = { desktop: [1360, 900, "light"], dark: [1360, 900, "dark"], phone: [390, 844, "light"] } as const;
      try {
        // By the gateway's own clock: a browser on a busy machine takes its time.
        await untilBusy(demo.url, 10_000);
        const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
        await page.goto(`${demo.url}/dashboard`);
        await page.locator("#recent tbody tr").nth(9).waitFor();
        await page.locator("#rules tr[data-key=short_questions_openai] td.saved").waitFor();
        await page.close();
        if (screenshots === null) return;
        mkdirSync(screenshots, { recursive: true });
        await Bun.sleep(45_000);
        for (const [name, [width, height, colorScheme]] of Object.entries(sizes)) {
          const shot = await browser.newPage({ viewport: { width, height }, colorScheme });
          await shot.goto(`${demo.url}/dashboard`);
          await shot.locator("#connection.good").waitFor();
          await shot.waitForTimeout(2500);
          await shot.screenshot({ path: join(screenshots, `dashboard-${name}.png`) });
          if (name === "desktop") {
            await shot.locator("#recent tbody tr").filter({ hasText: "healed" }).first().locator("button").click();
            await shot.locator("#detail-body section").first().waitFor();
            await shot.screenshot({ path: join(screenshots, "dashboard-request.png") });
          }
          await shot.close();
        }
      } finally {
        await demo.stop();
      }
    },
    2 * limitMs,
  );
});
