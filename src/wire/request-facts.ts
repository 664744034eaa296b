/** The facts of a request: what a look-up gives is read at once, the rest when it is asked for, and then kept. */
import { own } from "../base/json.ts";
import type { JsonObject } from "../base/json.ts";
import { readMetadata } from "./facts.ts";
import type { Facts } from "./format.ts";

/** A declared tool, as far as policy and validators ask. */
export interface DeclaredTool {
  readonly name: string;
  readonly schema: JsonObject | null;
}

/** What is found on one walk over all parts of a request; filled in on the way. */
export interface Walked {
  tokensInput: number;
  image: boolean;
  document: boolean;
  audio: boolean;
  cache: boolean;
}

/** How a format reads what costs more than a look-up. Each is called once at most. */
export interface LateReaders<Source extends { readonly json: JsonObject }, Tool extends DeclaredTool> {
  readonly tools: (source: Source) => readonly Tool[];
  /** Schemas by tool name, where the last of a name does not simply win. */
  readonly toolSchemas?: (tools: readonly Tool[]) => ReadonlyMap<string, JsonObject | null>;
  readonly walk: (source: Source, tools: readonly Tool[]) => Walked;
  readonly systemText: (source: Source) => string;
  readonly promptText: (source: Source) => string;
}

type LateFact =
  | "tokensInput"
  | "toolNames"
  | "toolSchemas"
  | "hasImage"
  | "hasDocument"
  | "hasAudio"
  | "hasCacheControl"
  | "metadata"
  | "systemText"
  | "promptText";

/** Facts that a look-up gives. */
export type EarlyFacts = Omit<Facts, LateFact>;

/** A class, for its getters: as closures of an object they cost each request more than all that most policies read of it. */
class RequestFacts<Source extends { readonly json: JsonObject }, Tool extends DeclaredTool> implements Facts {
  readonly format: Facts["format"];
  readonly model: string;
  readonly stream: boolean;
  readonly maxTokens: number | null;
  readonly messages: number;
  readonly toolChoice: Facts["toolChoice"];
  readonly inToolLoop: boolean;
  readonly responseFormatType: Facts["responseFormatType"];
  readonly jsonSchema: JsonObject | null;
  readonly reasoning: boolean;
  readonly reasoningEffort: Facts["reasoningEffort"];
  readonly user: string | null;
  readonly choices: number;
  readonly replayable: boolean;
  readonly streamUsage: boolean;
  readonly #source: Source;
  readonly #readers: LateReaders<Source, Tool>;
  #tools: readonly Tool[] | null = null;
  #toolNames: readonly string[] | null = null;
  #toolSchemas: ReadonlyMap<string, JsonObject | null> | null = null;
  #walked: Readonly<Walked> | null = null;
  #metadata: Facts["metadata"] | null = null;
  #systemText: string | null = null;
  #promptText: string | null = null;

  constructor(early: EarlyFacts, source: Source, readers: LateReaders<Source, Tool>) {
    this.format = early.format;
    this.model = early.model;
    this.stream = early.stream;
    this.maxTokens = early.maxTokens;
    this.messages = early.messages;
    this.toolChoice = early.toolChoice;
    this.inToolLoop = early.inToolLoop;
    this.responseFormatType = early.responseFormatType;
    this.jsonSchema = early.jsonSchema;
    this.reasoning = early.reasoning;
    this.reasoningEffort = early.reasoningEffort;
    this.user = early.user;
    this.choices = early.choices;
    this.replayable = early.replayable;
    this.streamUsage = early.streamUsage;
    this.#source = source;
    this.#readers = readers;
  }

  #readTools(): readonly Tool[] {
    return (this.#tools ??= this.#readers.tools(this.#source));
  }

  #walk(): Readonly<Walked> {
    return (this.#walked ??= this.#readers.walk(this.#source, this.#readTools()));
  }

  get toolNames(): readonly string[] {
    return (this.#toolNames ??= this.#readTools().map(({ name }) => name));
  }

  get toolSchemas(): ReadonlyMap<string, JsonObject | null> {
    const read = this.#readers.toolSchemas ?? lastOfAName;
    return (this.#toolSchemas ??= read(this.#readTools()));
  }

  get metadata(): Facts["metadata"] {
    return (this.#metadata ??= readMetadata(own(this.#source.json, "metadata")));
  }

  get systemText(): string {
    return (this.#systemText ??= this.#readers.systemText(this.#source));
  }

  get promptText(): string {
    return (this.#promptText ??= this.#readers.promptText(this.#source));
  }

  get tokensInput(): number {
    return this.#walk().tokensInput;
  }

  get hasImage(): boolean {
    return this.#walk().image;
  }

  get hasDocument(): boolean {
    return this.#walk().document;
  }

  get hasAudio(): boolean {
    return this.#walk().audio;
  }

  get hasCacheControl(): boolean {
    return this.#walk().cache;
  }
}

function lastOfAName(tools: readonly DeclaredTool[]): ReadonlyMap<string, JsonObject | null> {
  return new Map(tools.map(({ name, schema }) => [name, schema]));
}

/** Facts of which `early` are known; `readers` read the others of `source` when they are asked for. */
export function createFacts<Source extends { readonly json: JsonObject }, Tool extends DeclaredTool>(
  early: EarlyFacts,
  source: Source,
  readers: LateReaders<Source, Tool>,
): Facts {
  return new RequestFacts(early, source, readers);
}
