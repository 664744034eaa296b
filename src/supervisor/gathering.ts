/** Asks every worker and collects what they answer. Metrics are added up here, and never fall when a worker ends. */
import type { Clock } from "../base/clock.ts";
import { lastingMetrics, mergeMetrics, type MetricFamily } from "../observe/metrics-merge.ts";
import type { Topic } from "./messages.ts";

/** A worker that can be asked. */
export interface Asked {
  /** Its place: of several workers with the same number one lives at a time. */
  readonly slot: { readonly number: number };
  readonly ask: (id: number, topic: Topic, argument: unknown) => void;
}

export interface Gathering<Worker extends Asked> {
  /** Resolves once all have answered, or the time is up. */
  readonly gather: (workers: readonly Worker[], topic: Topic, argument: unknown) => Promise<readonly unknown[]>;
  readonly answered: (worker: Worker, id: number, answer: unknown) => void;
  /** A worker has ended: nobody waits for it any more, and what it counted stays. */
  readonly forget: (worker: Worker) => void;
}

/** A worker that takes longer is left out: probes wait for what is asked here. */
const LIMIT_MS = 500;
/** Its metrics are taken as they last were. */
const METRICS_LIMIT_MS = 2000;

interface Question<Worker> {
  readonly topic: Topic;
  readonly waiting: Set<Worker>;
  readonly answers: Map<Worker, unknown>;
  readonly finish: () => void;
}

/** What the workers of one slot have counted, one after the other. */
interface Counted {
  /** Of those that are gone, as far as it has ever been told. */
  departed: readonly MetricFamily[];
  /** Of the living one, as of the last time it was asked. */
  living: readonly MetricFamily[];
}

export function createGathering<Worker extends Asked>(clock: Clock): Gathering<Worker> {
  const questions = new Map<number, Question<Worker>>();
  /**
   * By slot, in an order that stays, and added up within each first: a sum of fractions depends on the order of its terms, and
   * one that is smaller by its last digit than it was would be taken for a counter that began anew.
   */
  const counted = new Map<number, Counted>();
  let lastId = 0;

  const settle = (question: Question<Worker>, worker: Worker): void => {
    question.waiting.delete(worker);
    if (question.waiting.size === 0) question.finish();
  };

  const ask = (workers: readonly Worker[], topic: Topic, argument: unknown): Promise<Question<Worker>> =>
    new Promise((resolve) => {
      lastId += 1;
      const id = lastId;
      const finish = (): void => {
        if (!questions.delete(id)) return;
        cancel();
        resolve(question);
      };
      const question: Question<Worker> = { topic, waiting: new Set(workers), answers: new Map(), finish };
      const cancel = clock.after(topic === "metrics" ? METRICS_LIMIT_MS : LIMIT_MS, finish);
      questions.set(id, question);
      for (const worker of workers) worker.ask(id, topic, argument);
      if (workers.length === 0) finish();
    });

  return {
    gather: async (workers, topic, argument) => {
      const { answers } = await ask(workers, topic, argument);
      if (topic !== "metrics") return [...answers.values()].filter((answer) => answer !== undefined);
      return [mergeMetrics([...counted.values()].map(({ departed, living }) => mergeMetrics([departed, living])))];
    },
    answered: (worker, id, answer) => {
      const question = questions.get(id);
      if (question === undefined || !question.waiting.has(worker)) return;
      question.answers.set(worker, answer);
      // A worker that failed to answer counts as it last did.
      if (question.topic === "metrics" && answer !== undefined) {
        const departed = counted.get(worker.slot.number)?.departed ?? [];
        counted.set(worker.slot.number, { departed, living: answer as readonly MetricFamily[] });
      }
      settle(question, worker);
    },
    forget: (worker) => {
      const known = counted.get(worker.slot.number);
      if (known !== undefined) {
        known.departed = lastingMetrics(mergeMetrics([known.departed, known.living]));
        known.living = [];
      }
      for (const question of questions.values()) settle(question, worker);
    },
  };
}
