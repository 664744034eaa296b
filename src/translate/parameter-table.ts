/** Tables of parameters: a request makes those steps run that have something to do for it. */
import type { JsonObject } from "../base/json.ts";
import type { Report } from "./report.ts";

/** What becomes of one or more top-level fields of a request. */
export interface Step<Draft> {
  /** Fields that it answers for: without one of them it has nothing to do. */
  readonly reads: readonly string[];
  /** It has something to do without them too. */
  readonly always?: boolean;
  readonly apply: (draft: Draft) => void;
}

/**
 * A table of `steps`, which run in their order: later ones read what earlier ones decided. Fields that none of them reads
 * are reported as dropped, those that are null are not. A step must not run the table again.
 */
export function createTable<Draft extends { readonly report: Report }>(
  steps: readonly Step<Draft>[],
): (json: JsonObject, draft: Draft) => void {
  const stepsOf = new Map<string, number[]>();
  steps.forEach(({ reads }, at) => {
    for (const name of reads) stepsOf.set(name, [...(stepsOf.get(name) ?? []), at]);
  });
  let run = 0;
  /** By step: the last run in which it was due. */
  const dueIn = steps.map(({ always }) => (always === true ? Infinity : 0));

  return (json, draft) => {
    run += 1;
    const names = Object.keys(json);
    let isAllKnown = true;
    for (const name of names) {
      const found = stepsOf.get(name);
      if (found === undefined) isAllKnown = false;
      else for (const at of found) if (dueIn[at] !== Infinity) dueIn[at] = run;
    }
    for (let at = 0; at < steps.length; at++) {
      const due = dueIn[at] ?? 0;
      if (due >= run) steps[at]?.apply(draft);
    }
    if (isAllKnown) return;
    for (const name of names) if (!stepsOf.has(name) && json[name] !== null) draft.report.drop(name);
  };
}
