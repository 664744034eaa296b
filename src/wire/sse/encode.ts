/** One complete SSE event: an `event:` line unless `event` is null, one `data:` line, LF line ends. `json` is one line. */
export function encodeSse(event: string | null, json: string): string {
  return event === null ? `data: ${json}\n\n` : `event: ${event}\ndata: ${json}\n\n`;
}
