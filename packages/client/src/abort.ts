import { setMaxListeners } from 'node:events';

type Reaction = () => void;

const reactions = new WeakMap<AbortSignal, Set<Reaction>>();

/**
 * Runs the reaction when the signal aborts, and soon when it has aborted already; returns what takes that back.
 *
 * All reactions to one signal share one listener, so that a thousand calls under one signal bring no MaxListeners warning.
 */
export function onAbort(signal: AbortSignal, reaction: Reaction): () => void {
  if (signal.aborted) return soon(reaction);
  let set = reactions.get(signal);
  if (set === undefined) {
    const made = new Set<Reaction>();
    set = made;
    reactions.set(signal, made);
    const listener = (): void => {
      reactions.delete(signal);
      for (const react of made) react();
    };
    signal.addEventListener('abort', listener, { once: true });
    detachers.set(made, () => signal.removeEventListener('abort', listener));
  }
  const joined = set;
  joined.add(reaction);
  return () => {
    joined.delete(reaction);
    if (joined.size === 0 && reactions.get(signal) === joined) {
      reactions.delete(signal);
      detachers.get(joined)?.();
    }
  };
}

/** Not at once: a reaction may use what its caller makes of the result. */
function soon(reaction: Reaction): () => void {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) reaction();
  });
  return () => {
    wanted = false;
  };
}

const detachers = new WeakMap<Set<Reaction>, () => void>();

/** A controller whose signal may have any number of listeners, as those that users are given have. */
export function abortController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
