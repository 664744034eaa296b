/**
 * Reads a JSON text as it streams in and says at which character it can no longer become what was asked for. Sound, not
 * complete: a text that is rejected has no valid end, a text that is not may still turn out wrong. Keys are taken to be
 * unique, as RFC 8259 §4 wants them.
 */
import {
  allowArrayEnd,
  allowItem,
  allowKind,
  allowLength,
  allowNegative,
  allowNumber,
  allowObjectEnd,
  type Candidate,
  commonTexts,
  createNarrowing,
  itemCandidates,
  keepOwners,
  memberCandidates,
  type Narrowing,
  restrictsStrings,
} from "./early-candidates.ts";
import { createJsonLexer, type LexerSink } from "./early-lexer.ts";
import { ANYTHING, createShapes, KIND, type Shapes } from "./early-shapes.ts";
import type { SchemaDocument } from "./schema/document.ts";
import { type PathStep, renderPath } from "./schema/path.ts";

/** Where and why a text was given up. */
export interface EarlyRejection {
  /** Place of the first character that no valid text has there, UTF-16 units from the start. */
  readonly at: number;
  /** Holds no part of the text. */
  readonly reason: string;
}

export interface EarlyCheck {
  /** Takes the next piece of text; null while it can still become valid. After a rejection it gives the same again. */
  readonly push: (text: string) => EarlyRejection | null;
}

/** Work for one text, in steps of a candidate or a keyword looked at; beyond it nothing more is rejected. */
const MAX_STEPS = 200_000;
const MAX_DEPTH = 256;

/** Opens the check of one text. Without a document only the syntax is checked. */
export function createEarlyCheck(document: SchemaDocument | null): EarlyCheck {
  let stepsLeft = MAX_STEPS;
  const budget: Budget = {
    spend: (steps) => {
      stepsLeft -= steps;
    },
    giveUp: () => {
      stepsLeft = -1;
    },
  };
  const reader = createReader(document, budget);
  const lexer = createJsonLexer(reader.sink);
  let position = 0;
  let rejection: EarlyRejection | null = null;
  return {
    push: (text) => {
      if (rejection !== null || stepsLeft < 0) return rejection;
      const { status, read } = lexer.push(text);
      position += read;
      // Beyond the budget no verdict counts, not even the one that the last step came to.
      if (status === "going" || stepsLeft < 0) return null;
      rejection = { at: position, reason: status === "refused" ? reader.reason() : "the text is not JSON" };
      return rejection;
    },
  };
}

interface Budget {
  readonly spend: (steps: number) => void;
  readonly giveUp: () => void;
}

interface ObjectFrame {
  readonly kind: "object";
  candidates: readonly Candidate[];
  readonly keys: Set<string>;
  key: string;
}

interface ArrayFrame {
  readonly kind: "array";
  candidates: readonly Candidate[];
  /** Items begun. */
  length: number;
}

type Frame = ObjectFrame | ArrayFrame;

/** Whoever may still match a string that is being read, with the texts it may be; null = any. */
interface StringCandidate {
  readonly candidate: Candidate;
  readonly narrowing: Narrowing | null;
}

/** The sink that holds what the lexer reads against the schema. */
function createReader(
  document: SchemaDocument | null,
  { spend, giveUp }: Budget,
): { readonly sink: LexerSink; readonly reason: () => string } {
  const shapes: Shapes = document === null ? { expand: () => ANYTHING } : createShapes(document, spend);
  const frames: Frame[] = [];
  /** Of the value that is expected, being read, or was read last. */
  let candidates: readonly Candidate[] = shapes
    .expand(document?.root ?? true)
    .map((alternative) => ({ owner: 0, shapes: alternative }));
  let isKey = false;
  let keyText = "";
  let strings: readonly StringCandidate[] = [];
  let isRestricted = false;
  let points = 0;
  let lastUnit = 0;
  let reason = "";

  const refuse = (problem: string, path = pathOf(frames)): false => {
    reason = `the text cannot fit the schema: ${path} ${problem}`;
    return false;
  };
  const refuseKey = (): false => refuse("has a property that is not allowed", pathOf(frames.slice(0, -1)));

  /** Narrows the value's candidates; false when none is left. */
  const narrow = (left: readonly Candidate[], problem: string): boolean => {
    spend(candidates.length);
    candidates = left;
    return left.length > 0 || refuse(problem);
  };
  const endValue = (): true => {
    const frame = frames.at(-1);
    if (frame !== undefined) frame.candidates = keepOwners(frame.candidates, candidates);
    return true;
  };

  /** Goes on to a part of the value; false when nothing is allowed there. */
  const enter = (children: readonly Candidate[]): boolean => {
    spend(1 + children.length);
    candidates = children;
    return children.length > 0;
  };

  const openFrame = (kind: number, problem: string, frame: Frame): boolean => {
    if (!narrow(allowKind(candidates, kind), problem)) return false;
    frame.candidates = candidates;
    frames.push(frame);
    if (frames.length > MAX_DEPTH) giveUp();
    return true;
  };
  const closeFrame = (allow: (frame: Frame) => readonly Candidate[], problem: string): boolean => {
    const frame = frames.pop();
    if (frame === undefined) return true;
    candidates = frame.candidates;
    return narrow(allow(frame), problem) && endValue();
  };

  const withTexts = (candidate: Candidate, lists: readonly (readonly string[] | null)[]): StringCandidate => {
    const texts = commonTexts(lists.filter((list) => list !== null));
    spend(1 + (lists.length > 1 ? (texts?.length ?? 0) : 0));
    return { candidate, narrowing: texts === null ? null : createNarrowing(texts) };
  };
  const fitting = (those: readonly StringCandidate[], hasEnded: boolean): readonly Candidate[] =>
    allowLength(
      those.map(({ candidate }) => candidate),
      points,
      hasEnded,
    );

  const closeKey = (): boolean => {
    const frame = frames.at(-1);
    if (frame?.kind !== "object") return true;
    frame.key = keyText;
    frame.keys.add(keyText);
    return enter(memberCandidates(frame.candidates, keyText, shapes)) || refuseKey();
  };

  const sink: LexerSink = {
    openObject: () =>
      openFrame(KIND.object, "must not be an object", { kind: "object", candidates, keys: new Set(), key: "" }),
    openArray: () => openFrame(KIND.array, "must not be an array", { kind: "array", candidates, length: 0 }),
    closeObject: () =>
      closeFrame(
        (frame) => (frame.kind === "object" ? allowObjectEnd(frame.candidates, frame.keys) : frame.candidates),
        "ends without all it must have",
      ),
    closeArray: () =>
      closeFrame(
        (frame) => (frame.kind === "array" ? allowArrayEnd(frame.candidates, frame.length) : frame.candidates),
        "ends with too few items",
      ),
    expectItem: () => {
      const frame = frames.at(-1);
      if (frame?.kind !== "array") return true;
      const index = frame.length++;
      frame.candidates = allowItem(frame.candidates, index);
      return enter(itemCandidates(frame.candidates, index, shapes)) || refuse("is one item too many");
    },
    openString: (asKey) => {
      isKey = asKey;
      points = 0;
      lastUnit = 0;
      if (isKey) {
        keyText = "";
        const owners = frames.at(-1)?.candidates ?? [];
        strings = owners.map((owner) =>
          withTexts(
            owner,
            owner.shapes.map(({ keys }) => keys),
          ),
        );
        isRestricted = strings.every(({ narrowing }) => narrowing !== null);
        return true;
      }
      if (!narrow(allowKind(candidates, KIND.string), "must not be a string")) return false;
      isRestricted = candidates.some(restrictsStrings);
      strings = isRestricted
        ? candidates.map((candidate) =>
            withTexts(
              candidate,
              candidate.shapes.map((shape) => shape.strings),
            ),
          )
        : [];
      return true;
    },
    wantsUnits: () => isKey || isRestricted,
    readUnit: (unit) => {
      if (isKey) keyText += String.fromCharCode(unit);
      if (!isRestricted) return true;
      const isLowHalf = unit >= 0xdc00 && unit <= 0xdfff && lastUnit >= 0xd800 && lastUnit <= 0xdbff;
      lastUnit = isLowHalf ? 0 : unit;
      if (!isLowHalf) points++;
      spend(strings.length);
      strings = strings.filter(({ narrowing }) => narrowing === null || narrowing.push(unit));
      if (isKey) return strings.length > 0 || refuseKey();
      return fitting(strings, false).length > 0 || refuse("has text that is not allowed");
    },
    closeString: () => {
      if (isKey) return closeKey();
      if (!isRestricted) return endValue();
      const whole = strings.filter(({ narrowing }) => narrowing === null || narrowing.isWhole());
      return narrow(fitting(whole, true), "has text that is not allowed") && endValue();
    },
    openNumber: (isNegative) =>
      narrow(allowKind(candidates, KIND.number), "must not be a number") &&
      (!isNegative || narrow(allowNegative(candidates), "must not be negative")),
    closeNumber: (text) =>
      (text === null || narrow(allowNumber(candidates, Number(text)), "is a number that is not allowed")) && endValue(),
    readLiteral: (name) => narrow(allowKind(candidates, KIND[name]), `must not be ${name}`) && endValue(),
  };
  return { sink, reason: () => reason };
}

function pathOf(frames: readonly Frame[]): string {
  return renderPath(
    frames.map((frame): PathStep => {
      if (frame.kind === "array") return frame.length - 1;
      const isNamed = frame.candidates.some(({ shapes }) => shapes.some(({ properties }) => properties.has(frame.key)));
      return isNamed ? frame.key : null;
    }),
  );
}
