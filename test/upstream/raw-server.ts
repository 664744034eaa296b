/** A server that answers with whatever bytes a test gives, on connections that the test can see. */

export interface RawRequest {
  /** From 0, in the order in which they were whole. */
  readonly index: number;
  /** From 0, in the order in which they were opened. */
  readonly connection: number;
  /** Request line and headers, without the empty line. */
  readonly head: string;
  readonly body: string;
}

export interface RawSocket {
  readonly write: (text: string | Uint8Array) => void;
  /** Closes in good order, after what was written. */
  readonly end: () => void;
  /** Breaks the connection. */
  readonly reset: () => void;
}

export interface RawServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly requests: readonly RawRequest[];
  /** Connections that were opened so far. */
  readonly opened: () => number;
  /** Those that are open now. */
  readonly open: () => number;
  /** Bytes that came in. */
  readonly received: () => number;
  /** Bytes of answers that the other end has not taken. */
  readonly waiting: () => number;
  readonly stop: () => void;
}

export interface RawServerOptions {
  /** Called with each whole request. */
  readonly onRequest?: (request: RawRequest, socket: RawSocket) => void | Promise<void>;
  /** Called with the first bytes of a connection, whole request or not. */
  readonly onStart?: (socket: RawSocket, connection: number) => void;
  /** Nothing is read. */
  readonly isDeaf?: boolean;
}

interface Connection {
  readonly number: number;
  pending: Buffer;
  unsent: Buffer[];
  isStarted: boolean;
  isEnding: boolean;
}

export function startRawServer(options: RawServerOptions): RawServer {
  const requests: RawRequest[] = [];
  let opened = 0;
  let open = 0;
  let received = 0;
  let waiting = 0;

  const flush = (socket: Bun.Socket<Connection>): void => {
    const { unsent } = socket.data;
    for (let bytes = unsent[0]; bytes !== undefined; bytes = unsent[0]) {
      const written = Math.max(0, socket.write(bytes));
      waiting -= written;
      if (written < bytes.byteLength) {
        unsent[0] = bytes.subarray(written);
        return;
      }
      unsent.shift();
    }
    if (socket.data.isEnding) socket.end();
  };

  const rawSocket = (socket: Bun.Socket<Connection>): RawSocket => ({
    write: (text) => {
      const bytes = Buffer.from(text as string);
      waiting += bytes.byteLength;
      socket.data.unsent.push(bytes);
      flush(socket);
    },
    end: () => {
      socket.data.isEnding = true;
      flush(socket);
    },
    reset: () => socket.terminate(),
  });

  const listener = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { number: opened, pending: Buffer.alloc(0), unsent: [], isStarted: false, isEnding: false };
        opened += 1;
        open += 1;
        if (options.isDeaf === true) socket.pause();
      },
      close: () => {
        open -= 1;
      },
      drain: flush,
      data: (socket, bytes) => {
        const { data } = socket;
        received += bytes.byteLength;
        if (!data.isStarted) {
          data.isStarted = true;
          options.onStart?.(rawSocket(socket), data.number);
        }
        if (options.onRequest === undefined) return;
        data.pending = Buffer.concat([data.pending, bytes]);
        for (;;) {
          const end = data.pending.indexOf("\r\n\r\n");
          if (end < 0) return;
          const head = data.pending.toString("latin1", 0, end);
          const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
          if (data.pending.byteLength < end + 4 + length) return;
          const body = data.pending.toString("utf8", end + 4, end + 4 + length);
          data.pending = data.pending.subarray(end + 4 + length);
          const request = { index: requests.length, connection: data.number, head, body };
          requests.push(request);
          void options.onRequest(request, rawSocket(socket));
        }
      },
    },
  });
  return {
    url: `http://127.0.0.1:${listener.port}`,
    requests,
    opened: () => opened,
    open: () => open,
    received: () => received,
    waiting: () => waiting,
    stop: () => listener.stop(true),
  };
}

/** A whole answer with its length. */
export function whole(body: string, headers = "", status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
