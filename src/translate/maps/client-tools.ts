/**
 * Anthropic's client tools with built-in schemas, as the function tools that other models need: the same names and
 * inputs, so that the client's executor still works.
 */
import type { JsonObject } from "../../base/json.ts";

/** Description and input schema of a built-in tool. */
export interface ClientTool {
  readonly description: string;
  readonly schema: JsonObject;
}

const string = (description: string): JsonObject => ({ type: "string", description });
const integer = (description: string): JsonObject => ({ type: "integer", description });
const command = (commands: readonly string[]): JsonObject => ({
  type: "string",
  enum: commands,
  description: "What to do.",
});
const VIEW_RANGE: JsonObject = {
  type: "array",
  items: { type: "integer" },
  description: "For `view` of a file: first and last line, counted from 1; -1 as last means to the end.",
};

/** @see https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/bash-tool (read 2026-11-24) */
const BASH: ClientTool = {
  description:
    "Runs a command in a bash shell that keeps its state between calls. Set `restart` to start the shell anew.",
  schema: {
    type: "object",
    properties: {
      command: string("The command to run. Required unless restarting."),
      restart: { type: "boolean", description: "True to restart the shell." },
    },
  },
};

/** @see https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/text-editor-tool (read 2026-11-24) */
function textEditor(commands: readonly string[], insertedText: string): ClientTool {
  return {
    description: "Views, creates and edits text files. Lines are counted from 1.",
    schema: {
      type: "object",
      properties: {
        command: command(commands),
        path: string("Absolute path of the file or directory."),
        file_text: string("For `create`: the content of the new file."),
        old_str: string("For `str_replace`: the text to replace; it must occur exactly once."),
        new_str: string(
          insertedText === "new_str"
            ? "For `str_replace`: the new text. For `insert`: the text to insert."
            : "For `str_replace`: the new text.",
        ),
        insert_line: integer("For `insert`: the line after which to insert; 0 is the beginning of the file."),
        ...(insertedText === "insert_text" ? { insert_text: string("For `insert`: the text to insert.") } : {}),
        view_range: VIEW_RANGE,
      },
      required: ["command", "path"],
    },
  };
}

const EDITOR_WITH_UNDO = textEditor(["view", "create", "str_replace", "insert", "undo_edit"], "new_str");
const EDITOR = textEditor(["view", "create", "str_replace", "insert"], "insert_text");

/** @see https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/memory-tool (read 2026-11-24) */
const MEMORY: ClientTool = {
  description:
    "Reads and writes files in the directory `/memories`, which lasts between conversations. View it before you begin, and note progress there.",
  schema: {
    type: "object",
    properties: {
      command: command(["view", "create", "str_replace", "insert", "delete", "rename"]),
      path: string("Path under `/memories`, for every command but `rename`."),
      view_range: VIEW_RANGE,
      file_text: string("For `create`: the content of the file."),
      old_str: string("For `str_replace`: the text to replace; it must occur exactly once."),
      new_str: string("For `str_replace`: the new text."),
      insert_line: integer("For `insert`: the line after which to insert; 0 is the beginning of the file."),
      insert_text: string("For `insert`: the text to insert."),
      old_path: string("For `rename`: the present path."),
      new_path: string("For `rename`: the new path."),
    },
    required: ["command"],
  },
};

/** The built-in client tool of an Anthropic tool `type` (`bash_20250124`); null when it is none. */
export function findClientTool(type: string): ClientTool | null {
  if (type.startsWith("bash_")) return BASH;
  if (type.startsWith("memory_")) return MEMORY;
  if (!type.startsWith("text_editor_")) return null;
  return type === "text_editor_20241022" || type === "text_editor_20250124" ? EDITOR_WITH_UNDO : EDITOR;
}
