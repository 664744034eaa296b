/**
 * A TCP front before the HTTP server. It passes bytes both ways and knows, for each connection of the server, the client's socket:
 * so that an answer can be cut in ways an HTTP server will not do, such as a reset or bytes that are not HTTP.
 */
import net from "node:net";

/** The client's end of one connection. */
export interface FrontConnection {
  /** Sends a RST. */
  readonly reset: () => void;
  /** Sends a FIN and forgets the connection. */
  readonly close: () => void;
  /** Writes bytes as they are, past the HTTP server, then closes. */
  readonly writeRaw: (bytes: string) => void;
}

/** An open front. */
export interface Front {
  readonly port: number;
  /** The connection that reached the server from `serverSidePort`. */
  readonly connection: (serverSidePort: number) => FrontConnection | null;
  /** Connections that clients hold open now. */
  readonly openConnections: () => number;
  /** Closes the port: new connections are refused, open ones are reset. */
  readonly refuse: () => Promise<void>;
  /** Opens the same port again. */
  readonly accept: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Opens a front on a free loopback port that passes to `serverPort`. */
export function openFront(serverPort: number): Front {
  const clients = new Map<number, net.Socket>();
  const sockets = new Set<net.Socket>();
  const serve = (client: net.Socket): void => {
    const upstream = net.connect({ host: "127.0.0.1", port: serverPort });
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    sockets.add(client);
    let upstreamPort = 0;
    upstream.on("connect", () => {
      upstreamPort = upstream.localPort ?? 0;
      clients.set(upstreamPort, client);
      client.pipe(upstream);
      upstream.pipe(client);
    });
    const end = (): void => {
      sockets.delete(client);
      clients.delete(upstreamPort);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on("error", end);
      socket.on("close", end);
    }
  };
  let server = net.createServer(serve);
  // Bun binds before it returns, so that the port is known at once.
  server.listen(0, "127.0.0.1");
  const port = portOf(server);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.resetAndDestroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    port,
    connection: (serverSidePort) => {
      const client = clients.get(serverSidePort);
      if (client === undefined) return null;
      return {
        reset: () => client.resetAndDestroy(),
        close: () => client.destroy(),
        writeRaw: (bytes) => client.end(bytes),
      };
    },
    openConnections: () => sockets.size,
    refuse: close,
    accept: async () => {
      server = await listenOn(serve, port);
    },
    stop: close,
  };
}

function listenOn(serve: (client: net.Socket) => void, port: number): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer(serve);
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: net.Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
