/** The `time` condition: a window of local time. */
import type { JsonObject } from "../base/json.ts";
import { defineCondition } from "./condition.ts";
import type { Test } from "./condition.ts";
import { mapped, oneOrMany, record } from "./containers.ts";
import { DAYS, isTimeZone, localTimeIn } from "./local-time.ts";
import type { Day } from "./local-time.ts";
import { scalar, word } from "./readers.ts";
import type { Reader } from "./readers.ts";

interface TimeWindow {
  readonly tz: string;
  /** Indexes into {@link DAYS} on which the window starts. */
  readonly days: readonly number[];
  /** Minutes since midnight; `to` is not part of the window, and 1440 is the end of the day. */
  readonly from: number;
  readonly to: number;
}

function clockTime(allowEnd: boolean): Reader<number> {
  return scalar(
    `a time of day such as "08:30"${allowEnd ? ', at most "24:00"' : ""}`,
    {
      type: "string",
      pattern: allowEnd ? "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$" : "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    },
    (value) => {
      if (allowEnd && value === "24:00") return 1440;
      if (typeof value !== "string" || !/^([01]\d|2[0-3]):[0-5]\d$/.test(value)) return undefined;
      return Number(value.slice(0, 2)) * 60 + Number(value.slice(3));
    },
  );
}

const zone: Reader<string> = scalar('an IANA time zone such as "Europe/Berlin"', { type: "string" }, (value) =>
  typeof value === "string" && isTimeZone(value) ? value : undefined,
);

const dayIndex: Reader<number> = mapped(word(DAYS), (day: Day) => DAYS.indexOf(day));
const timeBlock = record({
  tz: { reader: zone, doc: "IANA time zone; UTC unless said" },
  days: { reader: oneOrMany(dayIndex), doc: "days on which the window starts; all unless said" },
  from: { reader: clockTime(false), doc: "start, 00:00 unless said" },
  to: { reader: clockTime(true), doc: "end, not included, 24:00 unless said; before `from`: the next day" },
});

function renderMinute(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

function timeTest({ tz, days, from, to }: TimeWindow): Test {
  const local = localTimeIn(tz);
  const onDay = DAYS.map((_, index) => days.includes(index));
  return (context) => {
    const { day, minute } = local(context.input.wallMs);
    const dayBefore = (day + 6) % 7;
    if (from < to) return onDay[day] === true && minute >= from && minute < to;
    return (onDay[day] === true && minute >= from) || (onDay[dayBefore] === true && minute < to);
  };
}

function timeJson({ tz, days, from, to }: TimeWindow): JsonObject {
  return { tz, days: days.map((day) => DAYS[day] ?? ""), from: renderMinute(from), to: renderMinute(to) };
}

export const timeCondition = defineCondition<TimeWindow>("time", {
  doc: "a window of local time; it may cross midnight and then belongs to the day on which it starts",
  type: "`{ tz, days, from, to }`",
  reader: mapped(timeBlock, ({ tz = "UTC", days = DAYS.map((_, index) => index), from = 0, to = 1440 }) => ({
    tz,
    days,
    from,
    to,
  })),
  cost: 2,
  toJson: timeJson,
  test: timeTest,
  why: ({ tz }, context) => {
    const { day, minute } = localTimeIn(tz)(context.input.wallMs);
    return `time is ${DAYS[day]} ${renderMinute(minute)} in ${tz}`;
  },
  formula: (window) => ({ kind: "opaque", dimension: JSON.stringify(timeJson(window)) }),
});
