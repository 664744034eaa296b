/**
 * Loaded into a gateway before its own code (`bun --preload`): tells over a port of loopback what lives in its heap, after a
 * collection; at `/made`, what is there without one, garbage included. `AROUTER_BENCH_PROBE` is the port.
 */
import { heapStats } from "bun:jsc";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env["AROUTER_BENCH_PROBE"]),
  fetch: ({ url }) => {
    if (!url.endsWith("/made")) Bun.gc(true);
    const { objectCount, heapSize, extraMemorySize, objectTypeCounts } = heapStats();
    return Response.json({ objectCount, heapSize, extraMemorySize, objectTypeCounts });
  },
});
server.unref();
