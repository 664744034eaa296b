import { expect, test } from "bun:test";
import { openGatherer } from "../../../src/wire/openai-responses/gather.ts";

const item = (id: string) => ({ type: "message", id });
const done = (output_index: number, id: string) => ({
  type: "response.output_item.done",
  output_index,
  item: item(id),
});

test("the last whole Response is the answer", () => {
  const gatherer = openGatherer();
  gatherer.read({ type: "response.created", response: { id: "r", output: [] } }, "");
  gatherer.read(done(0, "a"), "");
  gatherer.read({ type: "response.completed", response: { id: "r", output: [item("whole")] } }, "");
  expect(gatherer.reply()).toEqual({ id: "r", output: [item("whole")] });
});

test("items that ended on the way stand for an output that the end left empty, in their order", () => {
  const gatherer = openGatherer();
  gatherer.read(done(1, "b"), "");
  gatherer.read(done(0, "a"), "");
  gatherer.read({ type: "response.completed", response: { id: "r", output: [] } }, "");
  expect(gatherer.reply()).toEqual({ id: "r", output: [item("a"), item("b")] });
});
