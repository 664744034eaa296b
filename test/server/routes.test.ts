import { describe, expect, test } from "bun:test";
import { matchRoute } from "../../src/server/routes.ts";
import { splitUrl } from "../../src/server/request-view.ts";

describe("a path", () => {
  const rows: readonly (readonly [path: string, route: Readonly<Record<string, unknown>>, name: string])[] = [
    ["/v1/chat/completions", { kind: "generate", format: "chat" }, "/v1/chat/completions"],
    ["/v1/messages", { kind: "generate", format: "messages" }, "/v1/messages"],
    ["/v1/responses", { kind: "generate", format: "responses" }, "/v1/responses"],
    ["/responses/", { kind: "generate", format: "responses" }, "/v1/responses"],
    ["/v1/messages/count_tokens", { kind: "count-tokens" }, "/v1/messages/count_tokens"],
    ["/v1/models", { kind: "models" }, "/v1/models"],
    ["/v1/models/gpt-4.1", { kind: "model", id: "gpt-4.1" }, "/v1/models/{id}"],
    ["/v1/models/ft%3Agpt-4o%3Aorg", { kind: "model", id: "ft:gpt-4o:org" }, "/v1/models/{id}"],
    ["/v1/models/a%2Fb", { kind: "model", id: "a/b" }, "/v1/models/{id}"],
    ["/v1/models/%zz", { kind: "unknown" }, "other"],
    ["/v1/models/a%00b", { kind: "unknown" }, "other"],
    [
      "/v1/responses/resp_1",
      { kind: "passthrough", group: "responses", path: "/responses/resp_1" },
      "/v1/responses/{id}",
    ],
    ["/v1/responses/resp_1/cancel", { kind: "passthrough", group: "responses" }, "/v1/responses/{id}"],
    ["/v1/responses/resp_1/input_items", { kind: "passthrough", group: "responses" }, "/v1/responses/{id}"],
    ["/v1/embeddings", { kind: "passthrough", group: "embeddings", provider: "openai" }, "/v1/embeddings"],
    ["/v1/audio/speech", { kind: "passthrough", group: "audio" }, "/v1/audio/*"],
    ["/v1/audio/other", { kind: "unknown" }, "other"],
    ["/v1/files/file-1/content", { kind: "passthrough", group: "files", provider: null }, "/v1/files/*"],
    ["/v1/files/../models", { kind: "unknown" }, "other"],
    ["/v1/files/a%2f..", { kind: "unknown" }, "other"],
    [
      "/v1/messages/batches",
      { kind: "passthrough", group: "message_batches", provider: "anthropic" },
      "/v1/messages/batches/*",
    ],
    ["/v1/batches/b/cancel", { kind: "passthrough", group: "batches" }, "/v1/batches/*"],
    [
      "/v1/chat/completions/id-1/messages",
      { kind: "passthrough", group: "stored_completions" },
      "/v1/chat/completions/{id}",
    ],
    ["/v1/realtime", { kind: "websocket" }, "/v1/realtime"],
    ["/", { kind: "root" }, "/"],
    ["/healthz", { kind: "healthz" }, "/healthz"],
    ["/v1/healthz", { kind: "unknown" }, "other"],
    ["/metrics/", { kind: "unknown" }, "other"],
    ["/v1", { kind: "unknown" }, "other"],
    ["/v1x/messages", { kind: "unknown" }, "other"],
  ];
  for (const [path, route, name] of rows) {
    test(`${path} is ${JSON.stringify(route)}`, () => {
      const match = matchRoute(path);
      expect(match.route).toMatchObject(route);
      expect(match.name).toBe(name);
    });
  }

  test("of every passed-through id is one segment of harmless characters", () => {
    for (const id of [".", "..", "a/../../models", "a?b", "a#b", "a b", "a%20b", "é", ""]) {
      const { route } = matchRoute(`/v1/files/${id}/content`);
      const path = route.kind === "passthrough" ? route.path : null;
      expect([id, path]).toEqual([id, null]);
    }
  });
});

describe("a request's URL", () => {
  for (const [url, path, query] of [
    ["http://h:1/v1/messages?beta=true", "/v1/messages", "?beta=true"],
    ["http://h", "/", ""],
    ["/v1/x?a=b?c", "/v1/x", "?a=b?c"],
    ["https://h/?", "/", "?"],
    ["http://h/a//b", "/a//b", ""],
  ] as const) {
    test(`${url} splits`, () => expect(splitUrl(url)).toEqual({ path, query }));
  }
});
