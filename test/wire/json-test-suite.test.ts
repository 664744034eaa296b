import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../../src/base/errors.ts";
import { parseBody } from "../../src/wire/parse.ts";
import { spliceFields } from "../../src/wire/splice.ts";
import { sharedDir, sharedMissing } from "../support/shared.ts";

const folder = sharedDir === null ? null : join(sharedDir, "data/json-test-suite/test_parsing");
const LIMITS = { jsonDepth: 128, jsonNodes: 1_000_000 };
const RULES = { format: "chat", factFields: new Set<string>(), check: () => undefined } as const;

/** The document as a field of a request: the suite's own top level is mostly no object. */
function wrap(document: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('{"model":"m","x":'), document, Buffer.from("}")]);
}

function verdict(bytes: Uint8Array): "accepted" | "refused" {
  try {
    parseBody(bytes, LIMITS, RULES);
    return "accepted";
  } catch (error) {
    if (error instanceof GatewayError && error.status === 400) return "refused";
    throw error;
  }
}

describe.skipIf(folder === null)(`JSONTestSuite (${sharedMissing})`, () => {
  const files = folder === null ? [] : readdirSync(folder);

  test("accepts every y_ document in a field and leaves it alone when it splices", () => {
    const documents = files.filter((name) => name.startsWith("y_"));
    expect(documents.length).toBeGreaterThan(80);
    for (const name of documents) {
      const document = readFileSync(join(folder ?? "", name));
      const body = wrap(document);
      expect(verdict(body), name).toBe("accepted");
      const spliced = Buffer.from(spliceFields(body, [{ field: "model", value: "n" }]));
      expect(spliced.equals(Buffer.concat([Buffer.from('{"model":"n","x":'), document, Buffer.from("}")])), name).toBe(
        true,
      );
    }
  });

  test("refuses every n_ document with a 400, alone and in a field", () => {
    const documents = files.filter((name) => name.startsWith("n_"));
    expect(documents.length).toBeGreaterThan(150);
    for (const name of documents) {
      const document = readFileSync(join(folder ?? "", name));
      expect(verdict(document), name).toBe("refused");
      // Some of them complete the object around them: `2.` cannot, `1}` can.
      if (!/object_trailing|structure_object_with_trailing|structure_close_unopened/.test(name))
        verdict(wrap(document));
    }
  });

  test("answers every i_ document one way or the other", () => {
    for (const name of files.filter((each) => each.startsWith("i_"))) {
      const document = readFileSync(join(folder ?? "", name));
      expect(["accepted", "refused"]).toContain(verdict(document));
      expect(["accepted", "refused"]).toContain(verdict(wrap(document)));
    }
  });
});
