/** Opens connections. One over TLS is given out only when the upstream has proved who it is. */
import tls from "node:tls";
import { type Connection, type ConnectionEvents, createConnection } from "./connection.ts";
import { failure } from "./failure.ts";
import type { Origin } from "./origin.ts";

/** @throws Error with a `code`: of the system (`ECONNREFUSED`, `ENOTFOUND` …) or of the certificate */
export function dial(origin: Origin, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let connection: Connection | null = null;
    const connected = (socket: Bun.Socket): void => {
      connection = createConnection(socket, events);
      resolve(connection);
    };
    const connecting = Bun.connect({
      hostname: origin.hostname,
      port: origin.port,
      ...(origin.isTls ? { tls: tlsOf(origin) } : {}),
      socket: {
        open: (socket) => {
          if (!origin.isTls) connected(socket);
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
