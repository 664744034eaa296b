/** Some organisations may not ask OpenAI for summaries of its reasoning; one refusal is enough to learn it. */
export interface SummaryMemory {
  /** A wish for a summary was refused. Never forgotten while the process lives. */
  refused: boolean;
}

/** Creates the memory: nothing was refused yet. */
export function createSummaryMemory(): SummaryMemory {
  return { refused: false };
}
