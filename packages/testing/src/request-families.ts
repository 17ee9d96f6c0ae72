import type { OpCode } from '@zookit/protocol';

/** Requests that do the same for a client, by the name of the oldest of them. */
export type Family = 'create' | 'getChildren' | 'setWatches';

export const families: Readonly<Record<Family, readonly (keyof typeof OpCode)[]>> = {
  create: ['create', 'create2', 'createContainer', 'createTTL'],
  getChildren: ['getChildren', 'getChildren2'],
  setWatches: ['setWatches', 'setWatches2'],
};
