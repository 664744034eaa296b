/**
 * Patterns of a client's schema, run by a matcher whose time is linear in the text. The engine's own RegExp is never given
 * one: a hostile pattern blocks it for seconds.
 */
import type * as Re2js from "re2js";

export interface Pattern {
  /** Whether the pattern is found anywhere in `text`. */
  readonly test: (text: string) => boolean;
  /** Work of a match per character of text, in instructions. */
  readonly size: number;
}

export interface PatternLimits {
  /** Longest pattern, UTF-16 units. */
  readonly maxChars: number;
}

/** Instructions that a pattern may expand to: `(a{30}b{30}){30}` is short, its program is not. */
const MAX_SIZE = 5_000;

/**
 * Compiles an ECMA 262 pattern (flag `u`); null for one that is too long, too large, or that a linear matcher cannot
 * express (look-around, back-references).
 * @see https://github.com/google/re2/wiki/Syntax (read 2026-11-24)
 */
export function compilePattern(source: string, limits: PatternLimits): Pattern | null {
  if (source.length > limits.maxChars) return null;
  const translated = translatePattern(source);
  if (translated === null) return null;
  try {
    const compiled = loadRe2js().RE2JS.compile(translated);
    return { test: (text) => compiled.test(text), size: compiled.programSize() };
  } catch {
    return null;
  }
}

/** Loaded for the first pattern: a start waits for no library that few requests need. Not `import()`, because compiling is synchronous. */
function loadRe2js(): typeof Re2js {
  return require("re2js") as typeof Re2js;
}

const SPACE = "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
/** Escapes that both spell alike; an escaped punctuation mark is itself. */
const SAME_ESCAPES = /[dDwWbBtnvfr!-/:-@[-`{-~]/;
const GENERAL_CATEGORIES: Readonly<Record<string, string>> = {
  Letter: "L",
  Lowercase_Letter: "Ll",
  Uppercase_Letter: "Lu",
  Titlecase_Letter: "Lt",
  Modifier_Letter: "Lm",
  Other_Letter: "Lo",
  Mark: "M",
  Number: "N",
  Decimal_Number: "Nd",
  digit: "Nd",
  Letter_Number: "Nl",
  Punctuation: "P",
  punct: "P",
  Symbol: "S",
  Separator: "Z",
  Space_Separator: "Zs",
  Other: "C",
  Control: "Cc",
  cntrl: "Cc",
};

interface Group {
  /** Instructions so far, and of the last atom: a quantifier multiplies it. */
  size: number;
  last: number;
}

/** The pattern in RE2's syntax with ECMA's meaning; null where that cannot be. One pass. */
function translatePattern(source: string): string | null {
  let output = "";
  let inClass = false;
  const groups: Group[] = [{ size: 0, last: 0 }];
  const addAtom = (size: number): boolean => {
    const group = groups.at(-1);
    if (group === undefined) return false;
    group.last = size;
    group.size += size;
    return group.size <= MAX_SIZE;
  };

  for (let at = 0; at < source.length;) {
    const char = source[at] ?? "";
    const rest = source.slice(at, at + 80);
    if (char === "\\") {
      const escape = translateEscape(rest, inClass);
      if (escape === null) return null;
      output += escape.text;
      at += escape.length;
      if (!inClass && !addAtom(1)) return null;
      continue;
    }
    at++;
    if (inClass) {
      if (char === "]") inClass = false;
      // `[` is a plain character in an ECMA class, and may open a named class in RE2's.
      output += char === "[" ? "\\[" : char;
      continue;
    }
    switch (char) {
      case "[": {
        // `[]` matches nothing and `[^]` everything in ECMA; RE2 reads on to the next `]`.
        if (rest.startsWith("[]") || rest.startsWith("[^]")) return null;
        inClass = true;
        output += char;
        if (!addAtom(2)) return null;
        break;
      }
      case ".":
        output += "[^\\n\\r\\x{2028}\\x{2029}]";
        if (!addAtom(2)) return null;
        break;
      case "(": {
        const opening = /^\((?:\?:|\?<[A-Za-z_]\w*>)?/.exec(rest)?.[0] ?? "(";
        if (opening === "(" && rest.startsWith("(?")) return null;
        output += opening;
        at += opening.length - 1;
        groups.push({ size: 2, last: 0 });
        break;
      }
      case ")": {
        const group = groups.pop();
        if (group === undefined || groups.length === 0) return null;
        output += char;
        if (!addAtom(group.size)) return null;
        break;
      }
      case "{": {
        const quantifier = /^\{(\d{1,4})(?:,(\d{0,4}))?\}/.exec(rest);
        if (quantifier === null) return null;
        const times = Math.max(1, Number(quantifier[1]), Number(quantifier[2] ?? 0));
        const group = groups.at(-1);
        if (group === undefined || !addAtom(group.last * (times - 1))) return null;
        output += quantifier[0];
        at += quantifier[0].length - 1;
        break;
      }
      case "}":
      case "]":
        return null;
      default: {
        const point = source.codePointAt(at - 1) ?? 0;
        output += String.fromCodePoint(point);
        if (point > 0xffff) at++;
        if (!addAtom(1)) return null;
      }
    }
  }
  return inClass || groups.length !== 1 ? null : output;
}

/** One escape at the start of `rest`: its translation and its length in the source. */
function translateEscape(rest: string, inClass: boolean): { readonly text: string; readonly length: number } | null {
  const letter = rest[1];
  if (letter === undefined) return null;
  if (letter === "s") return { text: inClass ? SPACE : `[${SPACE}]`, length: 2 };
  if (letter === "S") return inClass ? null : { text: `[^${SPACE}]`, length: 2 };
  if (letter === "b" && inClass) return { text: "\\x08", length: 2 };
  if (letter === "B" && inClass) return null;
  if (SAME_ESCAPES.test(letter)) return { text: `\\${letter}`, length: 2 };
  if (letter === "0") return /^\\0\d/.test(rest) ? null : { text: "\\x00", length: 2 };
  const control = /^\\c([A-Za-z])/.exec(rest);
  if (control !== null) return { text: hexEscape((control[1] ?? "").charCodeAt(0) % 32), length: 3 };
  const hex = /^\\x([0-9A-Fa-f]{2})/.exec(rest) ?? /^\\u\{([0-9A-Fa-f]{1,6})\}/.exec(rest);
  if (hex !== null) return { text: hexEscape(Number.parseInt(hex[1] ?? "", 16)), length: hex[0].length };
  const pair = /^\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})/.exec(rest);
  if (pair !== null) {
    const high = Number.parseInt(pair[1] ?? "", 16);
    const low = Number.parseInt(pair[2] ?? "", 16);
    return { text: hexEscape((high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000), length: pair[0].length };
  }
  const unit = /^\\u([0-9A-Fa-f]{4})/.exec(rest);
  if (unit !== null) {
    const point = Number.parseInt(unit[1] ?? "", 16);
    return point >= 0xd800 && point <= 0xdfff ? null : { text: hexEscape(point), length: 6 };
  }
  const property = /^\\([pP])\{(?:(?:General_Category|gc|Script|sc)=)?([A-Za-z_]{1,40})\}/.exec(rest);
  if (property === null) return null;
  const name = property[2] ?? "";
  const known = Object.hasOwn(GENERAL_CATEGORIES, name) ? GENERAL_CATEGORIES[name] : name;
  return { text: `\\${property[1]}{${known}}`, length: property[0].length };
}

function hexEscape(point: number): string {
  return `\\x{${point.toString(16)}}`;
}
