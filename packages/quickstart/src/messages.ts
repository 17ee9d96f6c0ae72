/** What a service is started with. */
export interface WorkerTerms {
  connectString: string;
  /** Wanted, in ms. */
  sessionTimeout: number;
  lockPath: string;
  /** About how long it works under the lock, in ms. */
  work: number;
  /** Where it writes its record. */
  recordFile: string;
}

/**
 * What a service tells the demo while it runs, with the clock's time in nanoseconds. It is for the lines on the screen and for
 * choosing whom to kill; what is judged in the end are the records.
 */
export type ServiceMessage =
  | { what: 'ready'; sessionTimeout: number }
  | { what: 'failed'; reason: string }
  | { what: 'queued'; at: bigint }
  | { what: 'granted'; at: bigint; token: bigint }
  | { what: 'ended'; at: bigint; token: bigint; why: 'released' | 'lost' }
  /** Holds on under this token until it is killed. */
  | { what: 'keeping'; token: bigint }
  /** `holdsFor`: ms for which a hold lasts without a server; null without one. */
  | { what: 'suspended'; at: bigint; holdsFor: number | null }
  | { what: 'reconnected' | 'lost' | 'renewed'; at: bigint };

/** What the demo tells a service. `keep`: go on holding the lock if it is yours under this token. */
export type Order = { order: 'start' } | { order: 'keep'; token: bigint } | { order: 'stop' };
