import { type Grant, onAbort } from '@zookit/client/internal';

/** Ends something that lasts as long as the session; the result tells of that. */
type Ending = () => () => void;

interface Endings {
  readonly all: Set<Ending>;
  readonly off: () => void;
}

const endings = new WeakMap<Grant, Endings>();

/**
 * What lasts as long as a session ends with it, and all of it before anybody is told: a listener finds nothing held
 * any more. Returns what takes that back.
 */
export function onSessionEnd(grant: Grant, ending: Ending): () => void {
  const present = endings.get(grant) ?? watch(grant);
  present.all.add(ending);
  return () => {
    present.all.delete(ending);
    if (present.all.size > 0 || endings.get(grant) !== present) return;
    endings.delete(grant);
    present.off();
  };
}

function watch(grant: Grant): Endings {
  const all = new Set<Ending>();
  const off = onAbort(grant.signal, () => {
    endings.delete(grant);
    const told = [...all].map((end) => end());
    for (const tell of told) tell();
  });
  const made = { all, off };
  endings.set(grant, made);
  return made;
}
