import { describe, expect, test } from "bun:test";
import { createAnswerParser, MAX_HEAD_BYTES } from "../../../src/upstream/http1/parser.ts";

/** What a parser told of the bytes it was given. */
interface Told {
  /** Status, headers, body as text, whether the connection may be used again; null while the answer is not whole. */
  readonly answers: Answer[];
  readonly open: Answer | null;
  readonly error: string | null;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  body: string;
  isReusable: boolean | null;
}

/** Gives `text` to a parser in `pieces` that end at these offsets, then closes the connection. */
function parse(text: string, cuts: readonly number[] = [], method = "POST", isClosed = true): Told {
  const answers: Answer[] = [];
  let open: Answer | null = null;
  const parser = createAnswerParser({
    onHead: ({ status, headers }) => {
      const all: Record<string, string> = {};
      headers.forEach((value, name) => {
        all[name] = value;
      });
      open = { status, headers: all, body: "", isReusable: null };
    },
    onBody: (bytes) => {
      if (open === null) throw new Error("a body without a head");
      if (bytes.byteLength === 0) throw new Error("an empty piece");
      open.body += Buffer.from(bytes).toString("latin1");
    },
    onEnd: (isReusable) => {
      if (open === null) throw new Error("an end without a head");
      open.isReusable = isReusable;
      answers.push(open);
      open = null;
    },
  });
  parser.begin(method);
  const bytes = Buffer.from(text, "latin1");
  let from = 0;
  try {
    for (const to of [...cuts, bytes.byteLength]) {
      // What comes after the answer is for the connection to refuse.
      if (answers.length > 0) break;
      if (to > from) parser.push(Buffer.from(bytes.subarray(from, to)));
      from = to;
    }
    if (isClosed && answers.length === 0) parser.close();
  } catch (error) {
    return { answers, open, error: (error as Error).message };
  }
  return { answers, open, error: null };
}

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

/** Name, bytes, and what is read of them. */
const GOOD: readonly (readonly [string, string, Partial<Answer>, string?])[] = [
  ["a body with its length", `${OK}content-length: 5\r\n\r\nhello`, { body: "hello", isReusable: true }],
  ["an empty body", `${OK}content-length: 0\r\n\r\n`, { body: "", isReusable: true }],
  ["one length said twice", `${OK}Content-Length: 2\r\ncontent-length: 02\r\n\r\nhi`, { body: "hi" }],
  ["one length said twice in a line", `${OK}content-length: 2, 2\r\n\r\nhi`, { body: "hi" }],
  ["bytes that were not asked for", `${OK}content-length: 2\r\n\r\nhi!`, { body: "hi", isReusable: false }],
  ["a second answer nobody asked for", `${OK}content-length: 2\r\n\r\nhi${OK}\r\n`, { body: "hi", isReusable: false }],
  [
    "connection: close",
    `${OK}connection: Close\r\ncontent-length: 2\r\n\r\nhi`,
    { headers: { connection: "Close", "content-length": "2" }, body: "hi", isReusable: false },
  ],
  [
    "connection: close in a list, and over two lines",
    `${OK}connection: x\r\ncontent-length: 2\r\nConnection: y , close\r\n\r\nhi`,
    { headers: { connection: "x, y , close", "content-length": "2" }, body: "hi", isReusable: false },
  ],
  ["a body up to the close", `${OK}\r\nto the end`, { body: "to the end", isReusable: false }],
  ["nothing up to the close", `${OK}\r\n`, { body: "", isReusable: false }],
  ["HTTP/1.0, which ends its connections", "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi", { isReusable: false }],
  [
    "HTTP/1.0 that keeps it alive",
    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nhi",
    { body: "hi", isReusable: true },
  ],
  ["no reason phrase", "HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n", { status: 503, isReusable: true }],
  ["an empty reason phrase", "HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n", { status: 503 }],
  ["204 whatever it says", "HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n", { status: 204, isReusable: true }],
  ["204 that says nothing", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "", isReusable: true }],
  ["304 with the length of another", "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", { isReusable: true }],
  ["an answer to HEAD", `${OK}content-length: 9\r\n\r\n`, { body: "", isReusable: true }, "HEAD"],
  ["an answer to HEAD, chunked", CHUNKED, { body: "", isReusable: true }, "HEAD"],
  [
    "100 before the answer",
    `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nhi`,
    { status: 200, body: "hi" },
  ],
  [
    "103 and 102 with headers before the answer",
    `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n${OK}content-length: 2\r\n\r\nhi`,
    { headers: { "content-length": "2" }, body: "hi", isReusable: true },
  ],
  ["one chunk", `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, { body: "hello", isReusable: true }],
  ["no chunk", `${CHUNKED}0\r\n\r\n`, { body: "", isReusable: true }],
  [
    "chunks of all sizes",
    `${CHUNKED}1\r\na\r\n00A\r\n0123456789\r\n1a\r\n${"x".repeat(26)}\r\n0\r\n\r\n`,
    { body: `a0123456789${"x".repeat(26)}` },
  ],
  ["Chunked in capitals", `${OK}Transfer-Encoding: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n`, { body: "hi" }],
  ["chunk extensions", `${CHUNKED}2;a=b;c="d e"\r\nhi\r\n0;last\r\n\r\n`, { body: "hi", isReusable: true }],
  ["trailers", `${CHUNKED}2\r\nhi\r\n0\r\nx-sum: 1\r\ny:\r\n\r\n`, { body: "hi", isReusable: true }],
  ["line ends within a chunk", `${CHUNKED}4\r\n\r\n\r\n\r\n0\r\n\r\n`, { body: "\r\n\r\n" }],
  ["bytes after the last chunk", `${CHUNKED}2\r\nhi\r\n0\r\n\r\nx`, { body: "hi", isReusable: false }],
  [
    "values as they are, but for the white space around them",
    `${OK}A:\r\nb:  x y\t \r\nC: \xe9\r\nd: a:b\r\ncontent-length: 0\r\n\r\n`,
    { headers: { a: "", b: "x y", c: "\xe9", d: "a:b", "content-length": "0" } },
  ],
  [
    "values of one name joined",
    `${OK}x: 1\r\nX: 2\r\ny: 3\r\nx: \r\ncontent-length: 0\r\n\r\n`,
    { headers: { x: "1, 2, ", y: "3", "content-length": "0" } },
  ],
];

/** Name, bytes, and a part of the complaint. */
const BAD: readonly (readonly [string, string, string])[] = [
  ["another protocol", "SSH-2.0-OpenSSH\r\n", "does not speak HTTP/1"],
  ["another protocol without a line end", "\x15\x03\x01\x00\x02\x02\x0a", "does not speak HTTP/1"],
  ["HTTP/2", "HTTP/2 200\r\n\r\n", "no status line"],
  ["another version", "HTTP/1.2 200 OK\r\n\r\n", "no status line"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "no status line"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "no status line"],
  ["a status beyond all", "HTTP/1.1 600 OK\r\n\r\n", "no status line"],
  ["a status below all", "HTTP/1.1 099 OK\r\n\r\n", "no status line"],
  ["a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n", "no status line"],
  ["an empty line first", `\r\n${OK}\r\n`, "HTTP/1"],
  ["101, which nobody asked for", "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n", "switches protocols"],
  ["content-length and transfer-encoding", `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n`, "both"],
  ["transfer-encoding and content-length", `${OK}transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n`, "both"],
  ["two lengths", `${OK}content-length: 3\r\ncontent-length: 4\r\n\r\n`, "two values"],
  ["two lengths in a line", `${OK}content-length: 3, 4\r\n\r\n`, "two values"],
  ["a negative length", `${OK}content-length: -1\r\n\r\n`, "no number"],
  ["a length with a sign", `${OK}content-length: +1\r\n\r\n`, "no number"],
  ["a length in hex", `${OK}content-length: 0x1\r\n\r\n`, "no number"],
  ["an empty length", `${OK}content-length:\r\n\r\n`, "no number"],
  ["a length beyond all numbers", `${OK}content-length: 99999999999999999999\r\n\r\n`, "no number"],
  ["an unknown coding", `${OK}transfer-encoding: gzip\r\n\r\n`, "other than chunked"],
  ["two codings", `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, "other than chunked"],
  ["chunked twice", `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`, "other than chunked"],
  ["chunked and no more", `${OK}transfer-encoding: chunked, identity\r\n\r\n`, "other than chunked"],
  ["a coding in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "other than chunked"],
  ["a folded line", `${OK}x: a\r\n b\r\n\r\n`, "no header"],
  ["a folded first line", `${OK} x: a\r\n\r\n`, "no header"],
  ["white space before the colon", `${OK}content-length : 3\r\n\r\n`, "no header"],
  ["a line without a colon", `${OK}nothing\r\n\r\n`, "no header"],
  ["a header without a name", `${OK}: x\r\n\r\n`, "no header"],
  ["NUL in a value", `${OK}x: a\0b\r\n\r\n`, "forbidden character"],
  ["a lone CR in a value", `${OK}x: a\rcontent-length: 3\r\n\r\n`, "forbidden character"],
  ["a lone LF", `${OK}x: a\ncontent-length: 3\r\n\r\n`, "forbidden character"],
  ["a control character in a value", `${OK}x: a\x1bb\r\n\r\n`, "forbidden character"],
  ["NUL in the reason phrase", "HTTP/1.1 200 O\0K\r\n\r\n", "forbidden character"],
  ["lines that end with LF alone", "HTTP/1.1 200 OK\ncontent-length: 0\n\r\n\r\n", "forbidden character"],
  ["too many headers", `${OK}${"x: y\r\n".repeat(257)}\r\n`, "more than 256 headers"],
  ["a head without end", `${OK}x: ${"y".repeat(MAX_HEAD_BYTES)}`, "a head of more than"],
  ["interim answers without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(3000), "a head of more than"],
  ["a chunk without a size", `${CHUNKED}\r\nhi\r\n`, "without a size"],
  ["a chunk size with a sign", `${CHUNKED}-2\r\nhi\r\n`, "without a size"],
  ["a chunk size in 0x", `${CHUNKED}0x2\r\nhi\r\n`, "no number"],
  ["a chunk size with a space", `${CHUNKED}2 \r\nhi\r\n`, "no number"],
  ["a chunk size that is not hex", `${CHUNKED}2g\r\nhi\r\n`, "no number"],
  ["a chunk size beyond all numbers", `${CHUNKED}${"f".repeat(14)}\r\n`, "impossible size"],
  ["a chunk size that ends with LF alone", `${CHUNKED}2\nhi\r\n`, "no number"],
  ["a chunk size that ends with CR alone", `${CHUNKED}2\rhi\r\n`, "does not end as it must"],
  ["a chunk longer than it says", `${CHUNKED}2\r\nhixx0\r\n\r\n`, "does not end as it must"],
  ["a chunk that ends with LF alone", `${CHUNKED}2\r\nhi\n0\r\n\r\n`, "does not end as it must"],
  ["an extension with a line end", `${CHUNKED}2;a\nb\r\nhi\r\n`, "control character"],
  ["an extension without end", `${CHUNKED}2;${"a".repeat(5000)}\r\nhi\r\n`, "too long"],
  ["a trailer that is no header", `${CHUNKED}0\r\nnothing\r\n\r\n`, "trailer"],
  ["a folded trailer", `${CHUNKED}0\r\na: b\r\n c\r\n\r\n`, "trailer"],
  ["NUL in a trailer", `${CHUNKED}0\r\na: \0\r\n\r\n`, "trailer"],
  ["trailers without end", `${CHUNKED}0\r\n${"a: b\r\n".repeat(3000)}\r\n`, "trailers that are too long"],
  ["a last chunk without its end", `${CHUNKED}0\r\n\rx`, "does not end as it must"],
];

/** Name and bytes that are the beginning of an answer, never a whole one. */
const CUT: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["half a status line", "HTTP/1.1 2"],
  ["half a head", `${OK}content-le`],
  ["a head without a body", `${OK}content-length: 3\r\n\r\n`],
  ["half a body", `${OK}content-length: 3\r\n\r\nhi`],
  ["a chunk size", `${CHUNKED}5`],
  ["half a chunk", `${CHUNKED}5\r\nhel`],
  ["chunks without the last one", `${CHUNKED}5\r\nhello\r\n`],
  ["the last chunk without its empty line", `${CHUNKED}5\r\nhello\r\n0\r\n`],
  ["an interim answer", "HTTP/1.1 100 Continue\r\n\r\n"],
];

describe("an answer", () => {
  for (const [name, text, expected, method] of GOOD) {
    test(`with ${name} is read`, () => {
      const { answers, error, open } = parse(text, [], method);
      expect({ error, open, count: answers.length }).toEqual({ error: null, open: null, count: 1 });
      expect(answers[0]).toMatchObject(expected);
    });
  }

  test.each(BAD)("with %s is refused", (_name, text, complaint) => {
    const { answers, error } = parse(text);
    expect(error).toContain(complaint);
    expect(answers).toEqual([]);
  });

  test.each(CUT)("of which only %s arrived is not taken for whole", (_name, text) => {
    const { answers, error } = parse(text);
    expect({ answers, error }).toEqual({ answers: [], error: null });
  });
});

/** Splits that show where a parser keeps state: each single cut, and all bytes alone. */
function splits(length: number): readonly (readonly number[])[] {
  const single = Array.from({ length }, (_, at) => [at]);
  return [...single, Array.from({ length }, (_, at) => at)];
}

describe("any split of the bytes gives the same", () => {
  for (const [name, text, , method] of GOOD) {
    test(`for ${name}`, () => {
      const [expected] = parse(text, [], method).answers;
      for (const cuts of splits(text.length)) {
        const split = parse(text, cuts, method);
        const [answer] = split.answers;
        expect({ ...answer, isReusable: null }).toEqual({ ...(expected as Answer), isReusable: null });
        // Bytes behind the answer may come when it is over already: then it is the connection that refuses them.
        if (expected?.isReusable === true) expect(answer?.isReusable).toBe(true);
        expect([split.error, split.open, split.answers.length]).toEqual([null, null, 1]);
      }
    });
  }

  test.each(BAD.filter(([, text]) => text.length < 1000))("for %s", (_name, text) => {
    for (const cuts of splits(text.length)) {
      const { error, answers } = parse(text, cuts);
      expect(error).not.toBeNull();
      expect(answers).toEqual([]);
    }
  });
});

/** Numbers that repeat with their seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

const RUNS = process.env["AROUTER_LONG"] === "1" ? 200_000 : 6000;
const PIECES = ["\r\n", "\r", "\n", "\0", " ", "\t", ":", ";", "0", "5", "ff", "chunked", "content-length: 3\r\n"];
const MORE = ["transfer-encoding: chunked\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 C\r\n\r\n", "\xff", "0\r\n\r\n"];

test(`hostile answers are read the same in any split, and never as two (${RUNS} random ones)`, () => {
  const random = randomOf(20_261_124);
  const seeds = [...GOOD, ...BAD].map(([, text]) => text).filter((text) => text.length < 400);
  const pieces = [...PIECES, ...MORE];
  for (let run = 0; run < RUNS; run += 1) {
    let text = seeds[random(seeds.length)] ?? "";
    for (let change = random(4); change >= 0; change -= 1) {
      const at = random(text.length + 1);
      const gone = random(3) === 0 ? random(6) : 0;
      const piece = random(4) === 0 ? String.fromCharCode(random(256)) : (pieces[random(pieces.length)] ?? "");
      text = text.slice(0, at) + piece + text.slice(at + gone);
    }
    const cuts = Array.from({ length: random(6) }, () => random(text.length + 1)).toSorted((a, b) => a - b);
    const whole = parse(text);
    const split = parse(text, cuts);
    const context = JSON.stringify({ text, cuts });
    expect(whole.answers.length, context).toBeLessThanOrEqual(1);
    expect(split.answers.length, context).toBe(whole.answers.length);
    const [a] = whole.answers;
    const [b] = split.answers;
    expect({ ...b, isReusable: null }, context).toEqual({ ...(a as Answer), isReusable: null });
    // An error behind an answer that was already whole is nobody's.
    if (a === undefined) expect(split.error === null, context).toBe(whole.error === null);
  }
});
