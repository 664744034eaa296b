import { expect, test } from "bun:test";
import type { UpstreamAnswer } from "../../src/upstream/upstream.ts";
import { chatEvents, chatHi } from "../support/answers.ts";
import { AT_REST, createPipeline, runUntil } from "../support/pipeline.ts";
import { sse } from "../support/scripted-client.ts";

test("a stream whose reading throws, by a defect of ours, leaves no call, no permit and no timer behind", async () => {
  // The upstream says a first word and then nothing, with its connection open.
  const chunks = chatEvents(["one", "two"]);
  const gate = (index: number): Promise<void> | undefined =>
    index < chunks.length - 2 ? undefined : new Promise(() => undefined);
  const pipeline = createPipeline({ upstream: () => sse(chunks, { gate }) });
  const { dispatch } = pipeline.snapshot;
  const broken = async (...call: Parameters<typeof dispatch>): Promise<UpstreamAnswer> => {
    const answer = await dispatch(...call);
    if (answer.kind === "stream") {
      answer.stream.read = () => {
        throw new Error("a defect");
      };
    }
    return answer;
  };
  Object.assign(pipeline.snapshot, { dispatch: broken });
  const opened = await pipeline.open("chat", { ...chatHi, stream: true });
  expect(await runUntil(opened.rest(), pipeline.clock)).toContain("the gateway failed while streaming");
  // The watch over silence and total time sees at its next look that nobody is there any more.
  await pipeline.clock.advance(3_600_000);
  expect(pipeline.residue()).toEqual(AT_REST);
});
