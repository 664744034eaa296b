/** The message that tells the next model what was wrong with the last answer. */

/** Longest message, UTF-8 bytes. */
export const FEEDBACK_MAX_BYTES = 4096;

const OPENING = "A previous answer to this request was rejected by an automatic check:";
const CLOSING = "Answer the request again so that it passes. Do not mention this message.";

/**
 * The text of one user message that names the reasons, shortened to at most {@link FEEDBACK_MAX_BYTES} in UTF-8.
 * The reasons are the validators' own and hold no part of the rejected answer.
 */
export function renderFeedback(reasons: readonly string[]): string {
  const render = (lines: readonly string[]): string =>
    [OPENING, ...lines.map((line) => `- ${line}`), CLOSING].join("\n");
  const kept: string[] = [];
  let room = FEEDBACK_MAX_BYTES - Buffer.byteLength(render([]));
  for (const reason of reasons) {
    const line = cutToBytes(reason.replaceAll(/\s+/g, " "), room - LINE_OVERHEAD);
    if (line === "") break;
    kept.push(line);
    room -= Buffer.byteLength(line) + LINE_OVERHEAD;
  }
  return render(kept);
}

/** `- ` and the line's end. */
const LINE_OVERHEAD = 3;

/** The longest start of `text` that takes at most `maxBytes` in UTF-8 and splits no character. */
function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let size = 0;
  let kept = "";
  for (const char of text) {
    size += Buffer.byteLength(char);
    if (size > maxBytes) break;
    kept += char;
  }
  return kept;
}
