/** The two APIs that serve Messages clients differ in how they spell things: one of these for each. */
import type { Json, JsonObject } from "../../base/json.ts";
import type { ToolChoice } from "../maps/tool-choice.ts";
import type { Draft, Located } from "./draft.ts";

/** An assistant turn, rendered. */
export interface AssistantTurn {
  /** What goes into the conversation, in order; empty when the turn is. */
  readonly items: readonly JsonObject[];
  /** Ids of its calls as the client named them, in order. */
  readonly callIds: readonly string[];
  /** Its text, whole. */
  readonly text: string;
}

/** A tool result, rendered. */
export interface ToolResultTurn {
  readonly items: readonly JsonObject[];
  /** Parts that a result cannot hold: they go to a user message after the run of results. */
  readonly media: readonly JsonObject[];
}

/** A function tool, before it is spelled. */
export interface FunctionTool {
  readonly name: string;
  /** "" for none. */
  readonly description: string;
  readonly parameters: JsonObject;
  readonly strict: boolean;
}

/** Spells parts, messages and tools for one API. Markers are empty objects where a block has none. */
export interface Surface {
  readonly textPart: (text: string, marker: JsonObject) => JsonObject;
  readonly imagePart: (url: string, marker: JsonObject) => JsonObject;
  /** `data` is base64. */
  readonly pdfPart: (data: string, title: string | null, marker: JsonObject) => JsonObject;
  /** A PDF by its URL; null where that is not taken. */
  readonly pdfUrlPart: (url: string, marker: JsonObject) => JsonObject | null;
  readonly system: (content: string | readonly JsonObject[], draft: Draft) => JsonObject;
  readonly user: (parts: readonly JsonObject[]) => JsonObject;
  /**
   * One assistant turn.
   * @throws GatewayError `unsupported-translation` for content that cannot be sent
   */
  readonly assistant: (blocks: readonly Located[], draft: Draft) => AssistantTurn;
  readonly toolResult: (located: Located, draft: Draft) => ToolResultTurn;
  /** Stands for a result that the history lacks. */
  readonly missingResult: (callId: string) => JsonObject;
  readonly functionTool: (tool: FunctionTool) => JsonObject;
  readonly toolName: (tool: Json) => Json | undefined;
  /** `tool` is the one that the choice names, as it is sent. */
  readonly toolChoice: (choice: ToolChoice, tool: Json | undefined) => Json;
}
