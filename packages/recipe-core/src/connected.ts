import type { State, ZooKeeper } from '@zookit/client';
import type { Patience } from './patience.ts';

/** Waits until the client is connected to a server that takes writes. */
export async function untilConnected(zk: ZooKeeper, patience: Patience): Promise<void> {
  if (zk.state === 'connected') return;
  let listener: ((state: State) => void) | undefined;
  const connected = new Promise<void>((resolve) => {
    listener = (state) => {
      if (state === 'connected') resolve();
    };
    zk.on('state', listener);
  });
  try {
    await patience.for(connected);
  } finally {
    if (listener !== undefined) zk.off('state', listener);
  }
}
