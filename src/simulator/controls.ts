/**
 * Control words: what a prompt tells the simulator to do. They stand in the text of the last user message, so that they work from
 * any SDK, in both formats and through a translation: `[[sim: word value key=value]]`, several of them, or `;` between words.
 *
 * | word | effect |
 * | --- | --- |
 * | `text "…"` | answers with that text |
 * | `echo` | answers with the prompt itself, control words removed |
 * | `tools [name] [arguments={…}]` | calls the forced, named or first tool; arguments are made from its schema unless given |
 * | `parallel [n]` | calls n (2) tools in one answer |
 * | `thinking "…"` | text of the thinking, where the request has thinking on |
 * | `redacted` | the thinking is redacted |
 * | `refusal ["…"]` | refuses: OpenAI `refusal`, Anthropic stop reason `refusal` |
 * | `filter` | ends in OpenAI `content_filter`, Anthropic `refusal` |
 * | `long n` | text of n chunks |
 * | `unicode` | text of two-, three- and four-byte characters |
 * | `empty` | no content at all |
 * | `length` | stops for length before it is done |
 * | `invalid-json`, `wrong-json`, `fenced-json` | JSON that does not parse, breaks the schema, or stands in a Markdown fence |
 * | `bad-arguments` | tool arguments that do not parse |
 * | `search ["query"]`, `pause`, `citations` | web search blocks; pause_turn after the search; a text with citations |
 * | `usage input= output= cache-read= cache-write= reasoning=` | reports these counts |
 * | `chunk n`, `delay ms` | characters a delta; pause between events |
 * | `bytes n` | writes the answer in pieces of n bytes, wherever they cut |
 * | `slow ms` | waits before the headers |
 * | `status n [type= code= message= retry-after= retry-after-ms= should-retry=]` | an HTTP error; `retry-after=date+2` is a date |
 * | `error name` | a real error by name: see errors.ts |
 * | `fault name` | a broken answer: see faults.ts |
 * | `quirk name` | a stream that is valid and odd: see quirks.ts |
 * | `header name value` | adds a header to a good answer |
 *
 * Every word takes `model=glob` (only for such a model), `provider=openai|anthropic`, and `times=n`: only the first n requests
 * that carry this very word, then it is spent. `id=x` keeps two equal words apart.
 */

/** One control word with its values. */
export interface Control {
  readonly word: string;
  readonly values: readonly string[];
  readonly options: ReadonlyMap<string, string>;
  /** Source text, the key of `times`. */
  readonly source: string;
}

const OPEN = "[[sim:";

/** Reads every control word of `text`; text without them gives an empty list. */
export function parseControls(text: string): readonly Control[] {
  const controls: Control[] = [];
  let at = text.indexOf(OPEN);
  while (at !== -1) {
    const end = readGroup(text, at + OPEN.length, controls);
    at = text.indexOf(OPEN, end);
  }
  return controls;
}

/** Reads a control script without the brackets, as tests and {@link Simulator.fail} give it. */
export function parseControlScript(script: string): readonly Control[] {
  return parseControls(script.includes(OPEN) ? script : `${OPEN} ${script}]]`);
}

/** `text` without its control words, trimmed. */
export function withoutControls(text: string): string {
  let plain = "";
  let from = 0;
  for (let at = text.indexOf(OPEN); at !== -1; at = text.indexOf(OPEN, from)) {
    plain += text.slice(from, at);
    from = readGroup(text, at + OPEN.length, []);
  }
  return (plain + text.slice(from)).trim();
}

/** Reads from `start` to behind the closing brackets, adding what it finds to `controls`. */
function readGroup(text: string, start: number, controls: Control[]): number {
  let at = start;
  let from = start;
  let tokens: string[] = [];
  const flush = (): void => {
    const [word, ...rest] = tokens;
    if (word !== undefined) controls.push(readControl(word, rest, text.slice(from, at).trim()));
    tokens = [];
  };
  while (at < text.length) {
    const character = text[at] ?? "";
    if (text.startsWith("]]", at) || character === ";") {
      flush();
      at += character === ";" ? 1 : 2;
      from = at;
      if (character !== ";") return at;
    } else if (/\s/.test(character)) {
      at += 1;
    } else {
      const end = tokenEnd(text, at);
      tokens.push(text.slice(at, end));
      at = end;
    }
  }
  flush();
  return at;
}

/** End of the token at `start`: quoted strings and bracketed JSON may hold blanks and any sign. */
function tokenEnd(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quoted) {
      if (character === "\\") at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") depth += 1;
    else if ((character === "}" || character === "]") && depth > 0) depth -= 1;
    else if (depth === 0 && (/[\s;]/.test(character) || text.startsWith("]]", at))) return Math.max(at, start + 1);
  }
  return text.length;
}

function readControl(word: string, tokens: readonly string[], source: string): Control {
  const values: string[] = [];
  const options = new Map<string, string>();
  for (const token of tokens) {
    const match = /^([a-z-]+)=(.*)$/s.exec(token);
    if (match === null) values.push(unquote(token));
    else options.set(match[1] ?? "", unquote(match[2] ?? ""));
  }
  return { word, values, options, source };
}

function unquote(token: string): string {
  if (!token.startsWith('"')) return token;
  try {
    return String(JSON.parse(token));
  } catch {
    return token.replace(/^"|"$/g, "");
  }
}

/** What a request is, for the conditions of a control word. */
export interface ControlTarget {
  readonly provider: string;
  readonly model: string;
}

/** Decides which words apply to a request and spends those with `times`. */
export interface ControlFilter {
  readonly select: (controls: readonly Control[], target: ControlTarget) => readonly Control[];
}

/** A filter with its own memory of spent words. */
export function createControlFilter(): ControlFilter {
  const spent = new Map<string, number>();
  return {
    select: (controls, target) =>
      controls.filter((control) => {
        const model = control.options.get("model");
        if (model !== undefined && !matchesGlob(model, target.model)) return false;
        const provider = control.options.get("provider");
        if (provider !== undefined && provider !== target.provider) return false;
        const times = control.options.get("times");
        if (times === undefined) return true;
        const used = spent.get(control.source) ?? 0;
        if (used >= Number(times)) return false;
        spent.set(control.source, used + 1);
        return true;
      }),
  };
}

function matchesGlob(glob: string, value: string): boolean {
  const pattern = glob.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(value);
}

/** The last control called `word`, or null. */
export function findControl(controls: readonly Control[], word: string): Control | null {
  return controls.findLast((control) => control.word === word) ?? null;
}

/** A whole number of `control`, or `fallback`. */
export function numberOf(text: string | undefined, fallback: number): number {
  const value = Number(text);
  return text === undefined || text === "" || Number.isNaN(value) ? fallback : value;
}
