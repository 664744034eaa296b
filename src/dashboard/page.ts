/** The files of the dashboard, carried in the program as texts. */
/* oxlint-disable import/default -- what is imported here are texts, whatever they are elsewhere */
import icon from "./icon.svg" with { type: "text" };
import chartsScript from "./charts.js" with { type: "text" };
import detailScript from "./detail.js" with { type: "text" };
import domScript from "./dom.js" with { type: "text" };
import formatScript from "./format.js" with { type: "text" };
import mainScript from "./main.js" with { type: "text" };
// Bun's types take every HTML import for a bundle.
import page from "./index.html" with { type: "text" };
import style from "./style.css" with { type: "text" };
import tablesScript from "./tables.js" with { type: "text" };

export interface PageFile {
  /** `content-type`. */
  readonly type: string;
  readonly text: string;
}

const SCRIPT = "text/javascript; charset=utf-8";

/** By what follows `/dashboard` in the path. */
export const PAGE_FILES: ReadonlyMap<string, PageFile> = new Map([
  ["", { type: "text/html; charset=utf-8", text: page as unknown as string }],
  ["/style.css", { type: "text/css; charset=utf-8", text: style }],
  ["/icon.svg", { type: "image/svg+xml", text: icon }],
  ["/main.js", { type: SCRIPT, text: mainScript }],
  ["/charts.js", { type: SCRIPT, text: chartsScript }],
  ["/tables.js", { type: SCRIPT, text: tablesScript }],
  ["/detail.js", { type: SCRIPT, text: detailScript }],
  ["/dom.js", { type: SCRIPT, text: domScript }],
  ["/format.js", { type: SCRIPT, text: formatScript }],
]);
