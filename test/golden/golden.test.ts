/**
 * Walks the stories: one folder each under the pair that it tells of, or under `same` for what passes through.
 *
 * `request.json` the client's body, byte for byte (one line, its line end is not part of it) · `story.json` where the rest of
 * the files come from, the model asked for and the options · `upstream-request.json` what goes out · `dropped.json`,
 * `adapted.json` what is reported (absent: nothing) · `upstream-response.json` or `.sse` the provider's answer ·
 * `response.json` or `.sse` what the client gets · `refused.json` instead of all that: the error's param and message.
 *
 * A new story needs no code. `UPDATE_GOLDEN=1` writes what comes out; read the diff before you commit it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../../src/base/errors.ts";
import { isObject } from "../../src/base/json.ts";
import type { FormatName } from "../../src/base/names.ts";
import type { TranslationOptions, Translator, Translated } from "../../src/translate/translator.ts";
import { spliceFields } from "../../src/wire/splice.ts";
import { createSseDecoder } from "../../src/wire/sse/decode.ts";
import { splitAt, splitEvery } from "../support/chunks.ts";
import { PAIRS, parseFor, translateReply, translateRequest, translateStream } from "../support/pairs.ts";

const update = process.env["UPDATE_GOLDEN"] === "1";

/** Streams up to this long are cut at every byte; longer ones at as many places, evenly. */
const maxCuts = 1_500;

interface Story {
  /** What it shows. */
  readonly about: string;
  /** Where the recording or the example is from. */
  readonly source: string;
  /** Model that is called; default: the one that the request names. */
  readonly model?: string;
  /** Client format, for `same`. */
  readonly format?: FormatName;
  readonly options?: Partial<TranslationOptions>;
}

interface Folder {
  readonly read: (file: string) => string | null;
  /** Compares with the file, or rewrites it under `UPDATE_GOLDEN=1`; null: the file must not be there. */
  readonly expectFile: (file: string, actual: string | null) => void;
  readonly story: Story;
  readonly request: Uint8Array;
}

function openFolder(path: string): Folder {
  const read = (file: string): string | null =>
    existsSync(join(path, file)) ? readFileSync(join(path, file), "utf8") : null;
  const story = read("story.json");
  const request = read("request.json");
  if (story === null || request === null) throw new Error(`${path} lacks story.json or request.json`);
  return {
    read,
    expectFile: (file, actual) => {
      const written = actual === null || file.endsWith(".sse") ? actual : `${actual}\n`;
      if (update && written === null) rmSync(join(path, file), { force: true });
      else if (update && written !== null) writeFileSync(join(path, file), written);
      else expect(written).toBe(read(file));
    },
    story: JSON.parse(story) as Story,
    request: Buffer.from(request.replace(/\n$/, "")),
  };
}

/** Places to cut a stream of `length` bytes in two. */
function cuts(length: number): readonly number[] {
  const step = Math.max(1, Math.ceil(length / maxCuts));
  return Array.from({ length: Math.max(0, Math.ceil((length - 1) / step)) }, (_, index) => 1 + index * step);
}

const list = (paths: readonly string[]): string | null => (paths.length === 0 ? null : JSON.stringify(paths));

function tellTranslated(translator: Translator, folder: Folder): void {
  const { story, request } = folder;
  const parsed = parseFor(translator.client, request);
  const model = story.model ?? String(parsed.json["model"]);
  let translated: Translated;
  try {
    translated = translateRequest(translator, parsed, model, story.options);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    folder.expectFile("refused.json", JSON.stringify({ kind: error.kind, param: error.param, message: error.message }));
    return;
  }
  folder.expectFile("refused.json", null);
  folder.expectFile("upstream-request.json", translated.body);
  folder.expectFile("dropped.json", list(translated.dropped));

  const buffered = folder.read("upstream-response.json");
  if (buffered !== null) {
    const reply: unknown = JSON.parse(buffered);
    if (!isObject(reply)) throw new Error("upstream-response.json is not an object");
    const answer = translateReply(translated, reply);
    folder.expectFile("response.json", answer === null ? null : JSON.stringify(answer.body));
    folder.expectFile("adapted.json", list([...translated.adapted, ...(answer?.adapted ?? [])]));
    return;
  }
  folder.expectFile("adapted.json", list(translated.adapted));
  const streamed = folder.read("upstream-response.sse");
  if (streamed === null) return;
  const bytes = Buffer.from(streamed);
  const whole = translateStream(translator, translated, [bytes]);
  folder.expectFile("response.sse", whole);
  expect(translateStream(translator, translated, splitEvery(bytes, 1))).toBe(whole);
  for (const at of cuts(bytes.length)) {
    const halves = translateStream(translator, translated, splitAt(bytes, [at]));
    if (halves !== whole) expect(`cut at ${at}: ${halves}`).toBe(whole);
  }
}

/** Same format: only the model's name may differ, and a stream's bytes come out as they went in however they are cut. */
function tellSame(folder: Folder): void {
  const { story, request } = folder;
  const format = story.format ?? "chat";
  const parsed = parseFor(format, request);
  expect(parsed.bytes).toEqual(new Uint8Array(request));
  const body = story.model === undefined ? request : spliceFields(request, [{ field: "model", value: story.model }]);
  folder.expectFile("upstream-request.json", Buffer.from(body).toString());
  const streamed = folder.read("upstream-response.sse");
  if (streamed === null) return;
  const bytes = Buffer.from(streamed);
  for (const at of [0, ...cuts(bytes.length)]) {
    const decoder = createSseDecoder({ maxEventBytes: 16_777_216 });
    const events = [...splitAt(bytes, [at]).flatMap((chunk) => [...decoder.push(chunk)]), ...decoder.end()];
    const through = Buffer.concat(events.map((event) => event.bytes)).toString();
    if (through !== streamed) expect(`cut at ${at}: ${through}`).toBe(streamed);
  }
}

const folders = (path: string): readonly string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();

for (const group of folders(import.meta.dir)) {
  describe(`golden ${group}`, () => {
    for (const name of folders(join(import.meta.dir, group))) {
      test(name, () => {
        const folder = openFolder(join(import.meta.dir, group, name));
        expect(folder.story.source).toBeTruthy();
        const translator = PAIRS[group];
        if (group === "same") tellSame(folder);
        else if (translator === undefined) throw new Error(`no pair is called ${group}`);
        else tellTranslated(translator, folder);
      });
    }
  });
}

test("has stories of every pair", () => {
  for (const group of [...Object.keys(PAIRS), "same"]) {
    expect(folders(join(import.meta.dir, group)).length).toBeGreaterThanOrEqual(group === "same" ? 3 : 5);
  }
});
