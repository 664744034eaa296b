/**
 * The judge against recorded traffic: what a provider took, its rules take; what it refused, they refuse, in the same words.
 * Recordings carry no header values and other people's signatures, so betas and signatures are not judged here.
 */
import { describe, expect, test } from "bun:test";
import { own, type JsonObject } from "../../src/base/json.ts";
import { judgeMessages } from "../../src/simulator/anthropic-rules.ts";
import { judgeChat } from "../../src/simulator/openai-chat-rules.ts";
import { judgeResponses } from "../../src/simulator/openai-responses-rules.ts";
import type { Judgement } from "../../src/simulator/refusal.ts";
import { readCorpus, type CorpusName, type CorpusRecord } from "../support/corpus.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

const options = { today: "2026-11-22", servesShutDown: true };

interface Suite {
  readonly corpus: CorpusName;
  readonly endpoints: readonly string[];
  readonly judge: (body: JsonObject, endpoint: string) => Judgement | null;
  /** Accepted once, refused by the rules: by id, with the reason. */
  readonly strangers: Readonly<Record<string, string>>;
  /** Refused for what cannot be seen in the request: by id, with the reason. */
  readonly unseen: Readonly<Record<string, string>>;
  /** Least of the refusals whose message is the recorded one. */
  readonly sameWords: number;
}

const suites: readonly Suite[] = [
  {
    corpus: "openai-chat",
    endpoints: ["chat.completions"],
    judge: (body) => judgeChat(body, options),
    strangers: {},
    unseen: { "oc-3224af7c96ff": "a model shut down", "oc-e829e845cd03": "an image that could not be fetched" },
    sameWords: 13,
  },
  {
    corpus: "anthropic-messages",
    endpoints: ["messages", "messages.count_tokens"],
    judge: (body, endpoint) =>
      judgeMessages(body, {
        ...options,
        version: "2023-06-01",
        betas: null,
        signer: null,
        counting: endpoint !== "messages",
      }),
    strangers: { "am-495499a8d4cd": "a tool result without its call, taken in 2024" },
    unseen: {},
    sameWords: 6,
  },
  {
    corpus: "openai-responses",
    endpoints: ["responses"],
    judge: (body) => judgeResponses(body, options, null),
    strangers: {},
    unseen: {
      "or-84055724a966": "a file of the wrong kind behind an address",
      "or-3c465b3cbea1": "a file of the wrong kind behind an address",
      "or-a2bf8db27001": "an item the provider kept",
    },
    sameWords: 4,
  },
];

describe.skipIf(sharedDir === null)(`recorded traffic${sharedDir === null ? `: ${sharedMissing}` : ""}`, () => {
  for (const suite of suites) {
    const records = readCorpus(suite.corpus).filter((record) => suite.endpoints.includes(record.endpoint));
    const judged = records.flatMap((record) => {
      const body = record.request?.body;
      return body === undefined || body === null ? [] : [{ record, judgement: suite.judge(body, record.endpoint) }];
    });

    test(`${suite.corpus}: accepted requests are accepted`, () => {
      const refused = judged.filter(({ record, judgement }) => record.response.status === 200 && judgement !== null);
      const strange = refused.filter(({ record }) => !Object.hasOwn(suite.strangers, record.id));
      expect(strange.map(({ record, judgement }) => `${record.id}: ${judgement?.message}`)).toEqual([]);
      expect(judged.filter(({ record }) => record.response.status === 200).length).toBeGreaterThan(400);
    });

    test(`${suite.corpus}: refused requests are refused`, () => {
      // A wrong key is no matter of the body.
      const refused = judged.filter(({ record }) => record.response.status >= 400 && record.response.status !== 401);
      const missed = refused.filter(
        ({ record, judgement }) => judgement === null && !Object.hasOwn(suite.unseen, record.id),
      );
      expect(missed.map(({ record }) => record.id)).toEqual([]);
      const same = refused.filter(({ record, judgement }) => judgement?.message === messageOf(record));
      expect(same.length).toBeGreaterThanOrEqual(suite.sameWords);
    });
  }
});

function messageOf(record: CorpusRecord): unknown {
  return own(own(record.response.body, "error"), "message");
}
