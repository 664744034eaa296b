/**
 * A push lexer for JSON text that may be cut anywhere: it knows the grammar (RFC 8259) and tells a sink what it reads. Any
 * text that it lets pass can be completed to a JSON document.
 */
import { isDigit, mayEndNumber, type NumberState, openNumberState, stepNumber } from "./early-number.ts";

/** Told of each thing read. Each answers whether the text may go on. */
export interface LexerSink {
  readonly openObject: () => boolean;
  readonly closeObject: () => boolean;
  readonly openArray: () => boolean;
  readonly closeArray: () => boolean;
  /** An item of the array must follow: after its opening, or after a comma. */
  readonly expectItem: () => boolean;
  /** A string begins; `isKey` for the name of a member. */
  readonly openString: (isKey: boolean) => boolean;
  /** One decoded UTF-16 unit of the string. Called only while `wantsUnits`. */
  readonly readUnit: (unit: number) => boolean;
  readonly wantsUnits: () => boolean;
  readonly closeString: () => boolean;
  readonly openNumber: (isNegative: boolean) => boolean;
  /** The number as spelled; null for one that is too long to keep. Called at the character after it. */
  readonly closeNumber: (text: string | null) => boolean;
  readonly readLiteral: (name: LiteralName) => boolean;
}

export type LiteralName = "true" | "false" | "null";

/** `read`: characters taken, up to the one that must not be there, if one was. */
export interface LexerResult {
  readonly status: "going" | "not-json" | "refused";
  readonly read: number;
}

export interface JsonLexer {
  /** After a result other than `going` it must not be used any more. */
  readonly push: (text: string) => LexerResult;
}

/** A number's text is kept up to this length. */
const MAX_NUMBER_CHARS = 400;

type Expecting =
  | "value"
  | "item-or-end"
  | "key-or-end"
  | "key"
  | "colon"
  | "comma-or-end"
  | "string"
  | "escape"
  | "unicode"
  | "number"
  | "literal"
  | "end";

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const LITERALS: Readonly<Record<string, LiteralName>> = { t: "true", f: "false", n: "null" };

export function createJsonLexer(sink: LexerSink): JsonLexer {
  const nesting: ("object" | "array")[] = [];
  let expecting: Expecting = "value";
  let isKey = false;
  let hexText = "";
  let numberState: NumberState = "zero";
  let numberText = "";
  let literal: LiteralName = "null";
  let literalAt = 0;
  let isRefused = false;

  /** Passes on what the sink says, noting that it was the sink who refused. */
  const tell = (mayGoOn: boolean): boolean => {
    isRefused ||= !mayGoOn;
    return mayGoOn;
  };
  const endValue = (): true => {
    expecting = nesting.length === 0 ? "end" : "comma-or-end";
    return true;
  };
  const open = (kind: "object" | "array"): boolean => {
    nesting.push(kind);
    expecting = kind === "object" ? "key-or-end" : "item-or-end";
    return tell(kind === "object" ? sink.openObject() : sink.openArray());
  };
  const close = (): boolean => {
    const kind = nesting.pop();
    endValue();
    return tell(kind === "object" ? sink.closeObject() : sink.closeArray());
  };
  const openString = (asKey: boolean): boolean => {
    isKey = asKey;
    expecting = "string";
    return tell(sink.openString(asKey));
  };

  const openValue = (char: string): boolean => {
    if (char === "{") return open("object");
    if (char === "[") return open("array");
    if (char === '"') return openString(false);
    const name = Object.hasOwn(LITERALS, char) ? LITERALS[char] : undefined;
    if (name !== undefined) {
      literal = name;
      literalAt = 1;
      expecting = "literal";
      return tell(sink.readLiteral(name));
    }
    const isNegative = char === "-";
    if (!isNegative && !isDigit(char)) return false;
    numberState = openNumberState(char);
    numberText = char;
    expecting = "number";
    return tell(sink.openNumber(isNegative));
  };

  const afterValue = (char: string): boolean => {
    const isObject = nesting.at(-1) === "object";
    if (char === (isObject ? "}" : "]")) return close();
    if (char !== ",") return false;
    expecting = isObject ? "key" : "value";
    return isObject || tell(sink.expectItem());
  };

  /** Takes a character that stands between values or begins one. */
  const readStructure = (char: string): boolean => {
    if (char === " " || char === "\n" || char === "\t" || char === "\r") return true;
    switch (expecting) {
      case "value":
        return openValue(char);
      case "item-or-end":
        return char === "]" ? close() : tell(sink.expectItem()) && openValue(char);
      case "key-or-end":
        return char === "}" ? close() : char === '"' && openString(true);
      case "key":
        return char === '"' && openString(true);
      case "colon":
        expecting = "value";
        return char === ":";
      case "comma-or-end":
        return afterValue(char);
      default:
        return false;
    }
  };

  const readUnit = (unit: number): boolean => !sink.wantsUnits() || tell(sink.readUnit(unit));

  const readInString = (char: string, unit: number): boolean => {
    if (char === '"') {
      if (isKey) expecting = "colon";
      else endValue();
      return tell(sink.closeString());
    }
    if (char === "\\") {
      expecting = "escape";
      return true;
    }
    return unit >= 0x20 && readUnit(unit);
  };

  const readEscape = (char: string): boolean => {
    if (char === "u") {
      hexText = "";
      expecting = "unicode";
      return true;
    }
    const meant = Object.hasOwn(SIMPLE_ESCAPES, char) ? SIMPLE_ESCAPES[char] : undefined;
    expecting = "string";
    return meant !== undefined && readUnit(meant.charCodeAt(0));
  };

  const readUnicode = (char: string): boolean => {
    if (!/[0-9A-Fa-f]/.test(char)) return false;
    hexText += char;
    if (hexText.length < 4) return true;
    expecting = "string";
    return readUnit(Number.parseInt(hexText, 16));
  };

  const readNumber = (char: string): boolean => {
    const next = stepNumber(numberState, char);
    if (next !== null) {
      numberState = next;
      if (numberText.length <= MAX_NUMBER_CHARS) numberText += char;
      return true;
    }
    if (!mayEndNumber(numberState)) return false;
    endValue();
    return tell(sink.closeNumber(numberText.length <= MAX_NUMBER_CHARS ? numberText : null)) && readStructure(char);
  };

  const readLiteral = (char: string): boolean => {
    if (char !== literal[literalAt++]) return false;
    return literalAt < literal.length || endValue();
  };

  const readChar = (char: string, unit: number): boolean => {
    switch (expecting) {
      case "string":
        return readInString(char, unit);
      case "escape":
        return readEscape(char);
      case "unicode":
        return readUnicode(char);
      case "number":
        return readNumber(char);
      case "literal":
        return readLiteral(char);
      default:
        return readStructure(char);
    }
  };

  return {
    push: (text) => {
      let at = 0;
      while (at < text.length) {
        // Most of an answer is text that nobody asks for: it is passed over in one go.
        if (expecting === "string" && !sink.wantsUnits()) at = plainEnd(text, at);
        if (at >= text.length) break;
        if (!readChar(text[at] ?? "", text.charCodeAt(at)))
          return { status: isRefused ? "refused" : "not-json", read: at };
        at++;
      }
      return { status: "going", read: at };
    },
  };
}

/** Where a string's plain characters end, from `offset` on. */
function plainEnd(text: string, offset: number): number {
  let at = offset;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22 || unit === 0x5c || unit < 0x20) break;
  }
  return at;
}
