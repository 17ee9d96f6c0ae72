import type { Place } from './place.ts';

/**
 * What outlives one hold of a contender that stands for as long as it lives. Such a one watches its own znode, too,
 * waiting or holding, and keeps it when a hold ends and the session goes on.
 */
export interface Standing {
  /** Ends it in good order: what is under way is awaited and the line left before `contend` rejects with the reason. */
  readonly stop: AbortSignal;
  /** The place that the last hold has left behind. */
  place: Place | null;
  /** It stands in line. */
  onPlaced(): void;
}
