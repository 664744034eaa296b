/** The workers of this gateway, this one included, as a worker sees them. */
import type { Topic, Topics } from "./messages.ts";

export interface Peers {
  /** What every worker answers, in no order. One that is gone, or late, is left out; of `metrics` there is one answer: the sum. */
  readonly gather: <Name extends Topic>(
    topic: Name,
    argument: Topics[Name]["argument"],
  ) => Promise<readonly Topics[Name]["answer"][]>;
  /** Says what this worker answers. */
  readonly answer: <Name extends Topic>(topic: Name, answer: Answer<Name>) => void;
}

export type Answer<Name extends Topic> = (
  argument: Topics[Name]["argument"],
) => Topics[Name]["answer"] | Promise<Topics[Name]["answer"]>;

type AnyAnswer = (argument: unknown) => unknown;

/** What this worker answers, by topic. */
export function createAnswers() {
  const answers = new Map<Topic, AnyAnswer>();
  return {
    set: (topic: Topic, answer: unknown): void => void answers.set(topic, answer as AnyAnswer),
    /** Nothing while the topic has no answer yet. */
    ask: async (topic: Topic, argument: unknown): Promise<readonly unknown[]> => {
      const answer = answers.get(topic);
      return answer === undefined ? [] : [await answer(argument)];
    },
  };
}

/** A gateway of one process. */
export function createAlone(): Peers {
  const answers = createAnswers();
  return {
    gather: (topic, argument) => answers.ask(topic, argument) as Promise<never>,
    answer: answers.set,
  };
}
