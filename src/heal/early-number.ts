/**
 * The grammar of a JSON number, a character at a time.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-6 (read 2026-11-24)
 */

export function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/** States of a number's grammar. */
export type NumberState = "minus" | "zero" | "whole" | "point" | "fraction" | "exponent" | "sign" | "power";
const ENDS: ReadonlySet<NumberState> = new Set(["zero", "whole", "fraction", "power"]);

/** The state after a number's first character: a minus or a digit. */
export function openNumberState(char: string): NumberState {
  return char === "-" ? "minus" : char === "0" ? "zero" : "whole";
}

/** Whether the number may end in `state`. */
export function mayEndNumber(state: NumberState): boolean {
  return ENDS.has(state);
}

/** The next state of a number's grammar; null when `char` is no part of it. */
export function stepNumber(state: NumberState, char: string): NumberState | null {
  const digit = isDigit(char);
  const isExponent = char === "e" || char === "E";
  switch (state) {
    case "minus":
      return digit ? (char === "0" ? "zero" : "whole") : null;
    case "zero":
      return char === "." ? "point" : isExponent ? "exponent" : null;
    case "whole":
      return digit ? "whole" : char === "." ? "point" : isExponent ? "exponent" : null;
    case "point":
      return digit ? "fraction" : null;
    case "fraction":
      return digit ? "fraction" : isExponent ? "exponent" : null;
    case "exponent":
      return digit ? "power" : char === "+" || char === "-" ? "sign" : null;
    case "sign":
    case "power":
      return digit ? "power" : null;
  }
}
