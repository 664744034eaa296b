/** A real Chromium. */
import { type Browser, chromium } from "playwright-core";

const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function openBrowser(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: QUIET });
}
