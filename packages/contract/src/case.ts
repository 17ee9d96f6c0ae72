import type { Context } from './context.ts';
import type { Feature } from './feature.ts';

/** One behaviour of ZooKeeper as a user of the client sees it, as a function of a server. */
export interface ContractCase {
  /** A sentence about what holds; together with its group's name it is unique. */
  name: string;
  /** Without one of these it can't hold. */
  needs?: readonly Feature[];
  /** ms; default 15,000. */
  timeout?: number;
  /** It spends its time waiting, and minds nobody: it runs beside the others of its group that do so. Default false. */
  waits?: boolean;
  /** Resolves when the behaviour was seen; rejects otherwise. */
  run(context: Context): Promise<void>;
}

export interface CaseGroup {
  name: string;
  cases: readonly ContractCase[];
}
