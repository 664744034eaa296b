/** How calls fail: an `Error` with a `code`, as those of `fetch` and of the runtime's sockets have one. */

/** The connection ended where an answer, or more of it, was awaited. */
export const RESET = "ECONNRESET";
/** What the upstream sent is not HTTP/1.1, or is not to be trusted with the connection. */
export const INVALID_ANSWER = "HTTP_INVALID_ANSWER";
/** What should be sent cannot be written as HTTP. */
export const INVALID_REQUEST = "HTTP_INVALID_REQUEST";

export interface CodedError extends Error {
  readonly code: string;
}

export function failure(code: string, message: string): CodedError {
  return Object.assign(new Error(message), { code });
}
