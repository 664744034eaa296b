/** Aborts that follow one another without the leaks of `AbortSignal.any` (docs/decisions/0003-own-abort-joins.md). */

/**
 * What tells a party that its work is no longer wanted. An `AbortSignal` is one; those made here are plain objects, because a
 * request needs four, and with their listeners the runtime's cost it more than all the rest of its bookkeeping.
 */
export interface Signal {
  readonly aborted: boolean;
  /** Why; undefined until it is aborted. */
  readonly reason: unknown;
}

/** Who is told of an abort, once, with its reason. */
export interface AbortFollower {
  onAbort(reason: unknown): void;
}

/** What ties a follower to its signal. */
export interface AbortLink {
  /** Lets go of the signal; calling it again does nothing. */
  release(): void;
}

/** A signal of ours, and its own switch: a child that follows its parents until released. */
export interface ChildAbort extends AbortLink {
  readonly signal: Signal;
  abort(reason: unknown): void;
  /** Lets go of the parents. Call it on every exit path; calling it again does nothing. */
  release(): void;
}

/** A place among the followers of a signal of ours: a doubly linked list, so that coming and going make nothing else. */
class Place implements AbortLink {
  owner: OwnSignal | null;
  readonly follower: AbortFollower;
  before: Place | null;
  after: Place | null = null;

  constructor(owner: OwnSignal, follower: AbortFollower, before: Place | null) {
    this.owner = owner;
    this.follower = follower;
    this.before = before;
  }

  release(): void {
    this.owner?.leave(this);
  }
}

const ONCE = { once: true } as const;

/** A listener of an `AbortSignal`. */
class Listener implements AbortLink, EventListenerObject {
  readonly #signal: AbortSignal;
  readonly #follower: AbortFollower;

  constructor(signal: AbortSignal, follower: AbortFollower) {
    this.#signal = signal;
    this.#follower = follower;
    signal.addEventListener("abort", this, ONCE);
  }

  handleEvent(): void {
    this.#follower.onAbort(this.#signal.reason);
  }

  release(): void {
    this.#signal.removeEventListener("abort", this);
  }
}

class OwnSignal implements Signal, ChildAbort, AbortFollower {
  aborted = false;
  reason: unknown = undefined;
  #first: Place | null = null;
  #last: Place | null = null;
  #parent: AbortLink | null = null;
  #otherParent: AbortLink | null = null;

  get signal(): Signal {
    return this;
  }

  follow(follower: AbortFollower): AbortLink {
    const place = new Place(this, follower, this.#last);
    if (this.#last === null) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    return place;
  }

  leave(place: Place): void {
    place.owner = null;
    if (place.before === null) this.#first = place.after;
    else place.before.after = place.after;
    if (place.after === null) this.#last = place.before;
    else place.after.before = place.before;
  }

  /** To be called once for each parent, of which there are two at most. */
  join(parent: Signal): void {
    if (this.aborted) return;
    if (parent.aborted) {
      this.abort(parent.reason);
      return;
    }
    const link = followAbort(parent, this);
    if (this.#parent === null) this.#parent = link;
    else this.#otherParent = link;
  }

  onAbort(reason: unknown): void {
    this.abort(reason);
  }

  abort(reason: unknown): void {
    this.release();
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    // As listeners are called: in the order in which they came, and not those that one of them let go.
    for (let place = this.#first; place !== null; place = this.#first) {
      this.leave(place);
      tell(place.follower, reason);
    }
  }

  release(): void {
    this.#parent?.release();
    this.#otherParent?.release();
    this.#parent = null;
    this.#otherParent = null;
  }
}

/**
 * What it throws is a defect of its own, and no matter of the others. It is reported as a rejection that nobody handles, which the
 * gateway logs: as an error that nobody catches, which listeners' are, it would end the process with all its requests.
 */
function tell(follower: AbortFollower, reason: unknown): void {
  try {
    follower.onAbort(reason);
  } catch (error) {
    void Promise.reject(error);
  }
}

/** Tells `follower` once when `signal` aborts, until the link that is given is released. */
export function followAbort(signal: Signal, follower: AbortFollower): AbortLink {
  return signal instanceof OwnSignal ? signal.follow(follower) : new Listener(signal as AbortSignal, follower);
}

/** A child that is aborted together with each of its parents, and by itself. */
export function createChildAbort(parent?: Signal, otherParent?: Signal): ChildAbort {
  const child = new OwnSignal();
  if (parent !== undefined) child.join(parent);
  if (otherParent !== undefined) child.join(otherParent);
  return child;
}

/** `signal` as the runtime's own functions take it; `release` lets go of it. */
export function toAbortSignal(signal: Signal): { readonly signal: AbortSignal; readonly release: () => void } {
  if (signal instanceof AbortSignal) return { signal, release: () => undefined };
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  const link = followAbort(signal, controllerFollower(controller));
  return { signal: controller.signal, release: () => link.release() };
}

function controllerFollower(controller: AbortController): AbortFollower {
  return { onAbort: (reason) => controller.abort(reason) };
}
