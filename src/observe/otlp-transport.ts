/** How encoded spans reach a collector: over HTTP or over gRPC, chosen by the endpoint. */

/**
 * What came of sending a batch. `again`: it may be sent once more; `partly`: it was taken but for so many spans, and may not be
 * sent again; `reason` is short and holds no header of ours.
 */
export type OtlpResult =
  | { readonly kind: "ok" }
  | { readonly kind: "partly"; readonly rejected: number; readonly reason: string }
  | { readonly kind: "again" | "refused"; readonly reason: string };

export interface OtlpTransport {
  /** Sends an `ExportTraceServiceRequest` in protobuf. Never rejects; gives up when `signal` aborts. */
  readonly send: (body: Uint8Array, signal: AbortSignal) => Promise<OtlpResult>;
  /** Lets go of connections. */
  readonly close: () => void;
}

/** The reason of a failed connection, by its code. */
export function connectionFailure(error: unknown): OtlpResult {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return { kind: "again", reason: code === "" ? "the connection failed" : `the connection failed (${code})` };
}
