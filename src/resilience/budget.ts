/** A budget for extra load: retries and hedges are paid from what first tries put in. */
import type { Clock } from "../base/clock.ts";

export interface BudgetSettings {
  /** Tokens that each first try deposits. */
  readonly ratio: number;
  /** Deposits expire after this. */
  readonly ttlMs: number;
  /** Tokens that come by themselves, so that a quiet service can retry at all. */
  readonly reservePerSecond: number;
  /** Most that the reserve saves up. */
  readonly reserveMax: number;
}

export interface Budget {
  /** Counts one first try. */
  readonly deposit: () => void;
  /** Takes one token; false when none is left. */
  readonly withdraw: () => boolean;
  /** Whole tokens that could be taken now. */
  readonly available: () => number;
}

/** Deposits are kept in this many slots of the TTL: they expire up to a tenth of it early, never late. */
const SLOTS = 10;

/** Counted in millionths, so that five deposits of 0.2 make exactly one token. */
const TOKEN = 1_000_000;

/** Creates a budget; in any span its withdrawals stay ≤ ratio × deposits + reserve. */
export function createBudget(settings: BudgetSettings, clock: Clock): Budget {
  const slotMs = settings.ttlMs / SLOTS;
  const deposit = Math.round(settings.ratio * TOKEN);
  const reserveMax = settings.reserveMax * TOKEN;
  const slots = new Float64Array(SLOTS);
  let slotNumber = Math.floor(clock.nowMs() / slotMs);
  let reserve = reserveMax;
  let reserveAtMs = clock.nowMs();

  const catchUp = (): void => {
    const nowMs = clock.nowMs();
    const current = Math.floor(nowMs / slotMs);
    for (let number = Math.max(slotNumber + 1, current - SLOTS + 1); number <= current; number++) {
      slots[number % SLOTS] = 0;
    }
    slotNumber = Math.max(slotNumber, current);
    reserve = Math.min(reserveMax, reserve + ((nowMs - reserveAtMs) / 1000) * settings.reservePerSecond * TOKEN);
    reserveAtMs = nowMs;
  };

  const balance = (): number => {
    catchUp();
    return slots.reduce((sum, slot) => sum + slot, reserve);
  };

  return {
    deposit: () => {
      catchUp();
      const index = slotNumber % SLOTS;
      slots[index] = (slots[index] ?? 0) + deposit;
    },
    withdraw: () => {
      if (balance() < TOKEN) return false;
      let owed = TOKEN;
      for (let number = slotNumber - SLOTS + 1; number <= slotNumber && owed > 0; number++) {
        const index = (number + SLOTS) % SLOTS;
        const paid = Math.min(slots[index] ?? 0, owed);
        slots[index] = (slots[index] ?? 0) - paid;
        owed -= paid;
      }
      reserve -= owed;
      return true;
    },
    available: () => Math.floor(balance() / TOKEN),
  };
}
