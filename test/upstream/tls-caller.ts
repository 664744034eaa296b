/** Calls each URL of its arguments with either client and prints what came of it, one JSON line each. Run with roots of its own. */
import { systemClock } from "../../src/base/clock.ts";
import { createHttpClient } from "../../src/upstream/http-client.ts";

const [name, ...urls] = process.argv.slice(2);
const client = createHttpClient({
  clock: systemClock,
  httpClient: name === "own" ? "own" : "fetch",
  useEnvProxy: false,
  idleTimeoutMs: 1000,
  poolShards: 2,
});
for (const url of urls) {
  const call = { method: "POST", headers: { "x-api-key": "k" }, body: "{}", signal: AbortSignal.timeout(5000) };
  const result = await client.call(url, "/", call).then(
    async ({ status, body }) => ({ status, isWhole: (await body?.readAll(1000))?.ok === true }),
    (error: { code?: string }) => ({ code: error.code }),
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
client.close();
