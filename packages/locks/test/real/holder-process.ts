// A holder in a process of its own, which is stopped while it holds. It writes down all that it sees, and in what order.
import { connect } from 'node:net';
import { ZooKeeper } from '@zookit/client';
import { type Held, Mutex } from '../../src/index.ts';

export interface HolderTerms {
  connectString: string;
  sessionTimeout: number;
  /** What it holds, waits for with patience, and waits for without. All else that it uses lies under it. */
  base: string;
  /** How long a call of it may take, in ms. */
  patience: number;
}

/** Something that the holder saw, with what its hold said at that moment. */
export interface Sight {
  /** `own`: a callback of the holder's, with which zookit has nothing to do. */
  by: 'zookit' | 'own';
  what: string;
  isHeld: boolean;
  aborted: boolean;
  /** Nanoseconds of the system's monotonic clock, as text. */
  at: string;
}

export type HolderOrder =
  /** Makes calls, of which some are read and some are written. */
  | { order: 'call' }
  /** Makes calls and stops in the same tick, before they are on their way. */
  | { order: 'call and stop' }
  /** Stands still for so many ms, as a blocked event loop does. */
  | { order: 'block'; ms: number }
  | { order: 'stop' }
  | { order: 'ping' }
  | { order: 'look' }
  | { order: 'release' }
  | { order: 'close' };

export type HolderMessage =
  | { what: 'ready' | 'blocking' | 'pinged' }
  | { what: 'seen'; sights: Sight[]; state: string; unsettled: number }
  | { what: 'released'; how: 'released' | 'lost' };

const { connectString, sessionTimeout, base, patience } = JSON.parse(process.argv[2] ?? '') as HolderTerms;
const sights: Sight[] = [];
let unsettled = 0;
let held: Held;

function see(by: Sight['by'], what: string): void {
  const at = String(process.hrtime.bigint());
  sights.push({ by, what, isHeld: held?.isHeld ?? false, aborted: held?.signal.aborted ?? false, at });
}

function tell(message: HolderMessage): void {
  process.send?.(message);
}

/** Notes how a promise ends. */
function follow(what: string, promise: Promise<unknown>): void {
  unsettled += 1;
  const ended = (how: string): void => {
    unsettled -= 1;
    see('zookit', `${what}: ${how}`);
  };
  promise.then(
    () => ended('done'),
    (error: { code?: string }) => ended(String(error.code ?? error)),
  );
}

function stop(): void {
  process.kill(process.pid, 'SIGSTOP');
  see('own', 'the first look');
}

function call(): void {
  follow('a read', zk.get(`${base}/data`));
  follow('a write', zk.set(`${base}/data`, 'by the holder'));
  follow('a read in time', zk.exists(`${base}/data`, { timeout: patience }));
  follow('a write in time', zk.create(`${base}/made-`, null, { mode: 'persistent-sequential', timeout: patience }));
}

const zk = new ZooKeeper(connectString, {
  sessionTimeout,
  environment: { connect: ({ address, port }) => connect({ host: address, port, noDelay: true }) },
});
await zk.connect();
// From before there was a hold, so it hears of the end first if anybody does.
zk.session?.signal.addEventListener('abort', () => see('zookit', "the session's signal"));
zk.on('state', (state) => see('zookit', `state ${state}`));
for (const event of ['connected', 'suspended', 'reconnected', 'lost', 'renewed', 'suspect'] as const) {
  zk.on(event, () => see('zookit', `event ${event}`));
}
held = await new Mutex(zk, `${base}/held`).acquire();
held.signal.addEventListener('abort', () => see('zookit', "the hold's signal"));
held.on('suspect', () => see('zookit', 'the hold is suspect'));
held.on('lost', () => see('zookit', 'the hold is lost'));
await zk.get(`${base}/data`, { watch: ({ type }) => see('zookit', `watched data: ${type}`) });
await zk.exists(`${base}/new`, { watch: ({ type }) => see('zookit', `watched absence: ${type}`) });
await zk.children(base, { watch: ({ type }) => see('zookit', `watched children: ${type}`) });
follow('a lock', new Mutex(zk, `${base}/lock`).acquire());
follow('a lock in time', new Mutex(zk, `${base}/lock-in-time`).acquire({ timeout: patience }));
const looking = setInterval(() => see('own', 'a look'), 10);

process.on('message', async (message: HolderOrder) => {
  switch (message.order) {
    case 'call':
      return call();
    case 'call and stop':
      call();
      return stop();
    case 'block':
      // Once this is written; the other end acts while nothing can be read here.
      return process.send?.({ what: 'blocking' }, () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.ms);
      });
    case 'stop':
      return stop();
    case 'ping':
      await zk.sync(base);
      return tell({ what: 'pinged' });
    case 'look':
      return tell({ what: 'seen', sights, state: zk.state, unsettled });
    case 'release':
      return tell({ what: 'released', how: await held.release() });
    case 'close':
      clearInterval(looking);
      await zk.close();
      process.removeAllListeners('disconnect');
      process.disconnect();
  }
});
// The test is gone, however it went: nobody is to stay behind.
process.on('disconnect', () => process.exit(1));
tell({ what: 'ready' });
