import { expect, test } from "bun:test";
import { createThreadStore } from "../../src/simulator/threads.ts";

const user = { role: "user", content: "hi" };
const content = [{ type: "text", text: "hello" }];
const next = { role: "user", content: "more" };

test("a continuation gets the held messages, system and tools before its own", () => {
  const threads = createThreadStore();
  threads.hold(
    { system: "be brief", tools: [], max_tokens: 5, messages: [user], thread: { type: "create" } },
    "msg_1",
    content,
  );
  const request = { max_tokens: 9, messages: [next], thread: { type: "continue", previous_message_id: "msg_1" } };
  expect(threads.resume(request)).toEqual({
    request: { ...request, system: "be brief", tools: [], messages: [user, { role: "assistant", content }, next] },
  });
});

test("a request without a thread is neither held nor changed", () => {
  const threads = createThreadStore();
  threads.hold({ messages: [user] }, "msg_1", content);
  expect(threads.resume({ messages: [user] })).toEqual({ request: { messages: [user] } });
  const request = { messages: [next], thread: { type: "continue", previous_message_id: "msg_1" } };
  expect(threads.resume(request)).toMatchObject({ refusal: { status: 404, detail: "thread_not_found" } });
});

test("the oldest of a thousand threads makes room", () => {
  const threads = createThreadStore();
  const create = { messages: [user], thread: { type: "create" } };
  for (let count = 0; count <= 1000; count += 1) threads.hold(create, `msg_${count}`, content);
  const resume = (id: string): boolean =>
    "request" in threads.resume({ thread: { type: "continue", previous_message_id: id } });
  expect([resume("msg_0"), resume("msg_1"), resume("msg_1000")]).toEqual([false, true, true]);
});
