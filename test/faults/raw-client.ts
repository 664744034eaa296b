/** A client that holds the socket itself: it can trickle, stop reading, leave half-way, and be many at once. */
import type { Socket } from "bun";

export interface RawClient {
  readonly write: (text: string) => void;
  /** Stops taking bytes: the kernel's buffers fill, then the other side's. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** What came so far. */
  readonly text: () => string;
  readonly isClosed: () => boolean;
  /** Resolves when the other side, or we, closed it. */
  readonly closed: Promise<void>;
  readonly close: () => void;
}

/** Connects to the origin `url`. */
export async function connectRaw(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const decoder = new TextDecoder();
  const closed = Promise.withResolvers<void>();
  let text = "";
  let isClosed = false;
  const end = (): void => {
    isClosed = true;
    closed.resolve();
  };
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, bytes) => {
        text += decoder.decode(bytes, { stream: true });
      },
      close: end,
      end: (self) => void self.end(),
      error: end,
    },
  });
  return {
    write: (written) => void socket.write(written),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    text: () => text,
    isClosed: () => isClosed,
    closed: closed.promise,
    close: () => socket.terminate(),
  };
}

/** Head and body of a POST as they go over the wire. */
export function renderPost(path: string, body: string, headers = ""): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}
