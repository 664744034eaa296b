/** Tool calls of one stream: one is open, the others wait for its JSON to be whole. */
import { isString, own, type Json } from "../../base/json.ts";
import { createJsonDepth, type JsonDepth } from "./json-depth.ts";

/** One call as it gathers. */
export interface ToolCall {
  /** Rank among the calls: by choice, then by upstream index. */
  readonly order: number;
  /** "" while upstream has not named one. */
  id: string;
  name: string;
  /** Arguments that have not been written. */
  buffer: string;
  state: "waiting" | "open" | "closed";
  readonly depth: JsonDepth;
}

/** Where calls are written. */
export interface ToolSink {
  readonly open: (call: ToolCall) => void;
  readonly write: (text: string) => void;
  readonly close: () => void;
}

export interface ToolQueue {
  /** Takes one entry of `delta.tool_calls`. */
  readonly push: (entry: Json, choice: number) => void;
  /** Opens waiting calls in order while the open one is whole; with `isEnd` all of them, whole or not. */
  readonly advance: (isEnd: boolean) => void;
  /** Closes the open call if it is whole, or in any case with `isEnd`; false when it stays open. */
  readonly close: (isEnd: boolean) => boolean;
  readonly isOpen: boolean;
  readonly hasWaiting: boolean;
  /** At least one call was opened. */
  readonly hasCalls: boolean;
}

/** Calls a choice may have before its ranks meet the next choice's. */
const CALLS_PER_CHOICE = 65_536;

/** Creates an empty queue. */
export function createToolQueue(sink: ToolSink): ToolQueue {
  const byOrder = new Map<number, ToolCall>();
  let waiting: ToolCall[] = [];
  let open: ToolCall | null = null;
  let last: ToolCall | null = null;
  let hasCalls = false;

  const add = (order: number): ToolCall => {
    const call: ToolCall = { order, id: "", name: "", buffer: "", state: "waiting", depth: createJsonDepth() };
    byOrder.set(order, call);
    waiting.push(call);
    return call;
  };

  const find = (entry: Json, choice: number, id: string): ToolCall => {
    const base = choice * CALLS_PER_CHOICE;
    const index = own(entry, "index");
    if (typeof index === "number") return byOrder.get(base + index) ?? add(base + index);
    if (id === "") return last ?? add(base);
    for (const call of byOrder.values()) if (call.id === id) return call;
    return add(base + byOrder.size);
  };

  /** The first waiting call whose name is known: a block cannot start without. */
  const takeNext = (): ToolCall | null => {
    let next: ToolCall | null = null;
    for (const call of waiting) if (call.name !== "" && (next === null || call.order < next.order)) next = call;
    if (next !== null) waiting = waiting.filter((call) => call !== next);
    return next;
  };

  const close = (isEnd: boolean): boolean => {
    if (open === null) return true;
    if (!isEnd && !open.depth.complete) return false;
    open.state = "closed";
    open = null;
    sink.close();
    return true;
  };

  return {
    push: (entry, choice) => {
      const entryId = own(entry, "id");
      const id = isString(entryId) ? entryId : "";
      const call = find(entry, choice, id);
      last = call;
      if (call.id === "") call.id = id;
      const name = own(own(entry, "function"), "name");
      if (call.name === "" && isString(name)) call.name = name;
      const text = own(own(entry, "function"), "arguments");
      if (!isString(text) || text === "" || call.state === "closed") return;
      call.depth.push(text);
      if (call.state === "open") sink.write(text);
      else call.buffer += text;
    },
    advance: (isEnd) => {
      while (open === null || isEnd || open.depth.complete) {
        const next = takeNext();
        if (next === null) return;
        close(true);
        open = next;
        hasCalls = true;
        next.state = "open";
        sink.open(next);
        sink.write(next.buffer);
        next.buffer = "";
      }
    },
    close,
    get isOpen() {
      return open !== null;
    },
    get hasWaiting() {
      return waiting.length > 0;
    },
    get hasCalls() {
      return hasCalls;
    },
  };
}
