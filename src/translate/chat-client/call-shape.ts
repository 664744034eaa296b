/** How a call stands in the deltas of a Chat stream. */
import type { JsonObject } from "../../base/json.ts";

/** The delta that opens a call, and those that carry its text. */
export interface CallShape {
  readonly start: JsonObject;
  readonly open: string;
  readonly close: string;
  readonly json: (piece: string) => JsonObject;
}

function functionShape(id: string, name: string, index: number): CallShape {
  return {
    start: { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] },
    open: `{"tool_calls":[{"index":${index},"function":{"arguments":`,
    close: "}}]}",
    json: (piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }),
  };
}

function customShape(id: string, name: string, index: number): CallShape {
  return {
    start: { tool_calls: [{ index, id, type: "custom", custom: { name, input: "" } }] },
    open: `{"tool_calls":[{"index":${index},"custom":{"input":`,
    close: "}}]}",
    json: (piece) => ({ tool_calls: [{ index, custom: { input: piece } }] }),
  };
}

function legacyShape(name: string): CallShape {
  return {
    start: { function_call: { name, arguments: "" } },
    open: `{"function_call":{"arguments":`,
    close: "}}",
    json: (piece) => ({ function_call: { arguments: piece } }),
  };
}

/** `legacy`: the `function_call` of callers that sent `functions`. */
export type CallKind = "function" | "custom" | "legacy";

/** The deltas of one call; `index` counts calls. */
export function callShape(
  kind: CallKind,
  { id, name, index }: { readonly id: string; readonly name: string; readonly index: number },
): CallShape {
  switch (kind) {
    case "function":
      return functionShape(id, name, index);
    case "custom":
      return customShape(id, name, index);
    case "legacy":
      return legacyShape(name);
    default:
      return kind satisfies never;
  }
}
