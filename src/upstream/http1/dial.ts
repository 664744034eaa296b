/** Opens connections. One over TLS is given out only when the upstream has proved who it is. */
import tls from "node:tls";
import { type AbortFollower, type AbortLink, followAbort, type Signal } from "../../base/abort.ts";
import { type Connection, type ConnectionEvents, createConnection } from "./connection.ts";
import { failure } from "./failure.ts";
import type { Origin } from "./origin.ts";

/** A connection on its way, and what its socket reports from then on. */
class Dialling implements AbortFollower {
  readonly #origin: Origin;
  readonly #events: ConnectionEvents;
  readonly #signal: Signal;
  readonly #link: AbortLink;
  readonly #resolve: (connection: Connection) => void;
  readonly reject: (error: unknown) => void;
  #connection: Connection | null = null;
  /** Open, and not established yet. */
  #opening: DialledSocket | null = null;

  constructor(
    origin: Origin,
    events: ConnectionEvents,
    signal: Signal,
    resolve: (connection: Connection) => void,
    reject: (error: unknown) => void,
  ) {
    this.#origin = origin;
    this.#events = events;
    this.#signal = signal;
    this.#resolve = resolve;
    this.reject = reject;
    this.#link = followAbort(signal, this);
  }

  get connection(): Connection | null {
    return this.#connection;
  }

  onAbort(reason: unknown): void {
    this.reject(reason);
    this.#opening?.terminate();
  }

  onOpen(socket: DialledSocket): void {
    // There was no socket yet to end when it was given up.
    if (this.#signal.aborted) socket.terminate();
    else if (this.#origin.isTls) this.#opening = socket;
    else this.#connected(socket);
  }

  onHandshake(socket: DialledSocket, error: Error | null): void {
    const refusal = error ?? refusalOf(this.#origin, socket);
    if (refusal === null) this.#connected(socket);
    else {
      this.reject(refusal);
      socket.terminate();
    }
  }

  onClose(error: Error | undefined): void {
    this.reject(error ?? failure("ECONNRESET", "the upstream closed the connection before it was established"));
    this.#connection?.onClose(error);
  }

  #connected(socket: DialledSocket): void {
    this.#link.release();
    this.#connection = createConnection(socket, this.#events);
    this.#resolve(this.#connection);
  }
}

type DialledSocket = Bun.Socket<Dialling>;

/** Those of all sockets: what each reports is told to what it carries. */
const HANDLERS: Bun.SocketHandler<Dialling> = {
  open: (socket) => socket.data.onOpen(socket),
  handshake: (socket, _success, error) => socket.data.onHandshake(socket, error),
  data: (socket, bytes) => socket.data.connection?.onData(bytes),
  drain: (socket) => socket.data.connection?.onDrain(),
  timeout: (socket) => socket.data.connection?.onSilence(),
  error: (socket, error) => socket.data.connection?.onClose(error),
  close: (socket, error) => socket.data.onClose(error),
  connectError: (socket, error) => socket.data.reject(error),
};

/**
 * `signal` ends it until it is established.
 *
 * @throws Error with a `code`: of the system (`ECONNREFUSED`, `ENOTFOUND` …) or of the certificate; the signal's reason
 */
export function dial(origin: Origin, events: ConnectionEvents, signal: Signal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connecting = Bun.connect({
      hostname: origin.hostname,
      port: origin.port,
      ...(origin.isTls ? { tls: tlsOf(origin) } : {}),
      data: new Dialling(origin, events, signal, resolve, reject),
      socket: HANDLERS,
    });
    connecting.catch(reject);
  });
}

function tlsOf({ hostname }: Origin): Bun.TLSOptions {
  return { serverName: hostname, rejectUnauthorized: true };
}

/** Why this upstream is not who it should be; null when it is. */
function refusalOf({ hostname }: Origin, socket: DialledSocket): Error | null {
  if (!socket.authorized) return socket.getAuthorizationError() ?? failure("CERT_UNVERIFIED", "not verified");
  return tls.checkServerIdentity(hostname, socket.getPeerCertificate()) ?? null;
}
