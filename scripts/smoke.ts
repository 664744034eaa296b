/** Runs a compiled gateway from an empty folder against the simulated providers: one request each way. */
import { startSimulatedGateway } from "../test/support/simulated.ts";

/** One request of the smoke run: the caller's format and the model that the other provider serves. */
interface Probe {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Field that only this format's answer has. */
  readonly expects: string;
}

const messages = [{ role: "user", content: "Say hello." }];
const chatHeaders = { "content-type": "application/json" };
const messagesHeaders = { ...chatHeaders, "anthropic-version": "2023-06-01" };

const probes: readonly Probe[] = [
  {
    path: "/v1/chat/completions",
    headers: chatHeaders,
    body: { model: "claude-sonnet-5-5", messages },
    expects: "choices",
  },
  {
    path: "/v1/messages",
    headers: messagesHeaders,
    body: { model: "gpt-4.1", max_tokens: 64, messages },
    expects: "stop_reason",
  },
  { path: "/v1/chat/completions", headers: chatHeaders, body: { model: "gpt-4.1", messages }, expects: "choices" },
  {
    path: "/v1/messages",
    headers: messagesHeaders,
    body: { model: "claude-sonnet-5-5", max_tokens: 64, messages },
    expects: "stop_reason",
  },
];

/** @throws Error naming the first probe that was not answered as its format promises */
export async function smoke(binary: string): Promise<void> {
  const gateway = await startSimulatedGateway({ command: [binary] });
  try {
    for (const probe of probes) {
      const response = await fetch(gateway.url + probe.path, {
        method: "POST",
        headers: probe.headers,
        body: JSON.stringify(probe.body),
      });
      const text = await response.text();
      const answer: unknown = JSON.parse(text);
      if (response.status !== 200 || typeof answer !== "object" || answer === null || !(probe.expects in answer)) {
        throw new Error(`POST ${probe.path} ${JSON.stringify(probe.body)}: ${response.status} ${text}`);
      }
    }
  } finally {
    await gateway.stop();
  }
}
