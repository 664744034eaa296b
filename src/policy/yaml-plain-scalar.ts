/** Scalars of plain YAML: where quotes end, what is between them, and what a word stands for. */

const beyond = new Error("not plain YAML");

/** Ends the reading of what is beyond this part of YAML. */
export function giveUp(): never {
  throw beyond;
}

/** Whether `error` is that of {@link giveUp}. */
export function isBeyond(error: unknown): boolean {
  return error === beyond;
}

/** Behind the quote that closes the text which begins at `start`. */
export function endOfQuoted(text: string, start: number): number {
  const quote = text[start] ?? "";
  for (let end = text.indexOf(quote, start + 1); end >= 0; end = text.indexOf(quote, end + 1)) {
    if (quote === "'") {
      if (text[end + 1] !== "'") return end + 1;
      end += 1;
      continue;
    }
    let escapes = 0;
    while (text[end - 1 - escapes] === "\\") escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return giveUp();
}

/** The text between the quotes of `raw`. JSON's escapes mean the same in YAML; the others, and halves of characters, are not read here. */
export function readQuotedText(raw: string): string {
  if (raw.startsWith("'")) return raw.slice(1, -1).replaceAll("''", "'");
  if (!raw.includes("\\")) return raw.slice(1, -1);
  if (/\\u[dD]/.test(raw)) giveUp();
  try {
    return JSON.parse(raw) as string;
  } catch {
    return giveUp();
  }
}

/** A plain scalar by the core schema; octal, hexadecimal and what is no number are not read here. */
export function resolvePlain(source: string): unknown {
  if (!/^[-+.0-9~nNtTfF]/.test(source)) return source;
  if (/^(?:~|null|Null|NULL)$/.test(source)) return null;
  if (/^(?:true|True|TRUE)$/.test(source)) return true;
  if (/^(?:false|False|FALSE)$/.test(source)) return false;
  if (/^[-+]?\d{1,15}$/.test(source)) return Number(source);
  if (/^[-+]?\d{1,15}\.\d{1,15}$/.test(source)) return Number(source);
  const isOtherNumber =
    /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$|^0o[0-7]+$|^0x[\da-f]+$|^(?:[-+]?\.inf|\.nan)$/i.test(source);
  return isOtherNumber ? giveUp() : source;
}
