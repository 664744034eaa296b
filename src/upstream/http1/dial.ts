/** Opens connections. One over TLS is given out only when the upstream has proved who it is. */
import tls from "node:tls";
import { followAbort, type Signal } from "../../base/abort.ts";
import { type Connection, type ConnectionEvents, createConnection } from "./connection.ts";
import { failure } from "./failure.ts";
import type { Origin } from "./origin.ts";

/**
 * `signal` ends it until it is established.
 *
 * @throws Error with a `code`: of the system (`ECONNREFUSED`, `ENOTFOUND` …) or of the certificate; the signal's reason
 */
export function dial(origin: Origin, events: ConnectionEvents, signal: Signal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let connection: Connection | null = null;
    /** Open, and not established yet. */
    let opening: Bun.Socket | null = null;
    const link = followAbort(signal, {
      onAbort: (reason) => {
        reject(reason);
        opening?.terminate();
      },
    });
    const connected = (socket: Bun.Socket): void => {
      link.release();
      connection = createConnection(socket, events);
      resolve(connection);
    };
    const connecting = Bun.connect({
      hostname: origin.hostname,
      port: origin.port,
      ...(origin.isTls ? { tls: tlsOf(origin) } : {}),
      socket: {
        open: (socket) => {
          // There was no socket yet to end when it was given up.
          if (signal.aborted) socket.terminate();
          else if (origin.isTls) opening = socket;
          else connected(socket);
        },
        handshake: (socket, _success, error) => {
          const refusal = error ?? refusalOf(origin, socket);
          if (refusal === null) connected(socket);
          else {
            reject(refusal);
            socket.terminate();
          }
        },
        data: (_socket, bytes) => connection?.onData(bytes),
        drain: () => connection?.onDrain(),
        timeout: () => connection?.onSilence(),
        error: (_socket, error) => connection?.onClose(error),
        close: (_socket, error) => {
          reject(error ?? failure("ECONNRESET", "the upstream closed the connection before it was established"));
          connection?.onClose(error);
        },
        connectError: (_socket, error) => reject(error),
      },
    });
    connecting.catch(reject);
  });
}

function tlsOf({ hostname }: Origin): Bun.TLSOptions {
  return { serverName: hostname, rejectUnauthorized: true };
}

/** Why this upstream is not who it should be; null when it is. */
function refusalOf({ hostname }: Origin, socket: Bun.Socket): Error | null {
  if (!socket.authorized) return socket.getAuthorizationError() ?? failure("CERT_UNVERIFIED", "not verified");
  return tls.checkServerIdentity(hostname, socket.getPeerCertificate()) ?? null;
}
