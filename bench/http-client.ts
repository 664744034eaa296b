/** An HTTP/1.1 client over one kept-alive socket, lean enough that the load generator does not limit what it measures. */

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** From the request's first byte to the body's first; where the client was given a text to look for, to the end of that. In ms. */
  readonly firstMs: number;
  readonly totalMs: number;
}

export interface HttpClient {
  /** One request at a time. @throws Error when the connection breaks */
  readonly send: (request: Uint8Array) => Promise<Answer>;
  readonly close: () => void;
  /** Breaks the connection, whatever is under way. */
  readonly abort: () => void;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const EMPTY = Buffer.alloc(0);

interface Reading {
  readonly startMs: number;
  firstMs: number;
  status: number;
  /** null: chunked. */
  left: number | null;
  /** Of the chunk being read, its line end included; 0: a size line comes next. */
  chunkLeft: number;
  pieces: Buffer[];
  head: boolean;
}

/** A request as bytes. */
export function renderRequest(path: string, headers: Readonly<Record<string, string>>, body: string): Uint8Array {
  const bytes = Buffer.from(body);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${bytes.length}\r\n${lines.join("")}\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** `firstText`: how long the first of it takes in a body is what {@link Answer.firstMs} tells. */
export async function openClient(port: number, firstText = ""): Promise<HttpClient> {
  const firstBytes = Buffer.from(firstText);
  let pending: Buffer = EMPTY;
  let unsent: Uint8Array = EMPTY;
  let reading: Reading | null = null;
  let settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;

  const fail = (message: string): void => {
    const waiting = settle;
    settle = null;
    reading = null;
    waiting?.reject(new Error(message));
  };

  const finish = ({ status, pieces, firstMs, startMs }: Reading): void => {
    const waiting = settle;
    settle = null;
    reading = null;
    const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    waiting?.resolve({ status, body, firstMs, totalMs: performance.now() - startMs });
  };

  const readHead = (now: Reading): boolean => {
    const end = pending.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = pending.toString("latin1", 0, end + 2).toLowerCase();
    pending = pending.subarray(end + 4);
    now.status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1];
    now.left = length === undefined ? null : Number(length);
    now.head = false;
    return true;
  };

  const keep = (now: Reading, piece: Buffer): void => {
    now.pieces.push(piece);
    if (now.firstMs > 0) return;
    // The text may come in two pieces; it comes early, so there are few to join.
    const isThere = piece.includes(firstBytes) || Buffer.concat(now.pieces).includes(firstBytes);
    if (isThere) now.firstMs = performance.now() - now.startMs;
  };

  /** Takes what is there; true when the answer is whole. */
  const readBody = (now: Reading): boolean => {
    if (now.left !== null) {
      if (pending.length > 0) keep(now, pending.subarray(0, now.left));
      now.left -= pending.length;
      pending = EMPTY;
      return now.left <= 0;
    }
    for (;;) {
      if (now.chunkLeft === 0) {
        const end = pending.indexOf("\r\n");
        if (end < 0) return false;
        const size = Number.parseInt(pending.toString("latin1", 0, end), 16);
        if (size === 0 && pending.length < end + 4) return false;
        pending = pending.subarray(end + (size === 0 ? 4 : 2));
        if (size === 0) return true;
        now.chunkLeft = size + 2;
      }
      if (pending.length === 0) return false;
      const taken = Math.min(now.chunkLeft, pending.length);
      const data = Math.min(taken, now.chunkLeft - 2);
      if (data > 0) keep(now, pending.subarray(0, data));
      now.chunkLeft -= taken;
      pending = pending.subarray(taken);
    }
  };

  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, data) => {
        if (reading === null) return;
        pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
        if (reading.head && !readHead(reading)) return;
        if (readBody(reading)) finish(reading);
      },
      drain: (self) => {
        if (unsent.length > 0) unsent = unsent.subarray(self.write(unsent));
      },
      close: () => fail("the connection was closed in the middle of an answer"),
      error: (_, error) => fail(error.message),
    },
  });

  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        reading = {
          startMs: performance.now(),
          firstMs: 0,
          status: 0,
          left: null,
          chunkLeft: 0,
          pieces: [],
          head: true,
        };
        pending = EMPTY;
        unsent = request.subarray(socket.write(request));
      }),
    close: () => void socket.end(),
    abort: () => socket.terminate(),
  };
}
