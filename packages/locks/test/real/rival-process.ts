// One of several processes that want one lock: takes it again and again, and writes down when it had it.
import { openSync, writeSync } from 'node:fs';
import { type Session, ZooKeeper, type ZooKeeperError } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { Mutex } from '../../src/index.ts';
import { pause } from './support.ts';

export interface RivalTerms {
  name: string;
  connectString: string;
  sessionTimeout: number;
  lock: string;
  /** Where it keeps an ephemeral znode of its own. */
  sign: string;
  /** How long it works under the lock, in ms. */
  work: number;
  record: string;
}

/** Nanoseconds of the system's monotonic clock, the same in every process, as text. */
type Time = string;

/** A line of the record. `to` is when the rival stopped working, which is before it lets go. */
export type RivalLine =
  | { what: 'granted'; token: string; from: Time }
  | { what: 'ended'; token: string; to: Time; why: 'released' | 'lost' };

/** Where a rival stands: its session, the znode that it made in it, and what became of the sessions before. */
export interface RivalStanding {
  session: string;
  /** The czxid of its ephemeral znode. */
  sign: string;
  losses: RivalLoss[];
}

export interface RivalLoss {
  /** Whether the time that the lease gives was over, by this process's clock. */
  leaseOver: boolean;
  reason: string;
}

export type RivalOrder = 'stop' | 'tell';
export type RivalMessage = { what: 'granted'; from: Time } | { what: 'standing'; standing: RivalStanding };

const now = (): Time => String(process.hrtime.bigint());
const terms = JSON.parse(process.argv[2] ?? '') as RivalTerms;
const stopped = new AbortController();
const losses: RivalLoss[] = [];
const file = openSync(terms.record, 'ax');
let sign = '';
let signed: Promise<void> = Promise.resolve();

function write(line: RivalLine): void {
  // With the system when the call returns.
  writeSync(file, `${JSON.stringify(line)}\n`);
}

function tell(message: RivalMessage): void {
  process.send?.(message);
}

/** Follows each session to its end. */
function follow(zk: ZooKeeper): void {
  const { session } = zk;
  const { grant } = coreOf(zk).session;
  if (session === null || grant === null) throw new Error('connected without a session');
  session.signal.addEventListener('abort', () => {
    const reason = session.signal.reason as ZooKeeperError;
    if (reason.code === 'CLOSED') return;
    losses.push({ leaseOver: performance.now() >= grant.lostAt, reason: reason.message });
  });
  signed = makeSign(zk, session);
}

/** Makes the ephemeral znode of a session. The one of the session before may be in its place for a while. */
async function makeSign(zk: ZooKeeper, { id, signal }: Session): Promise<void> {
  while (!signal.aborted) {
    try {
      const there = await zk.exists(terms.sign);
      if (there?.ephemeralOwner === id) {
        sign = String(there.czxid);
        return;
      }
      if (there === null) await zk.create(terms.sign, null, { mode: 'ephemeral', parents: true });
    } catch {
      // Whatever it was: looked at again while the session lives.
    }
    await pause(20);
  }
}

async function compete(zk: ZooKeeper): Promise<void> {
  const mutex = new Mutex(zk, terms.lock);
  while (!stopped.signal.aborted) {
    const held = await mutex.acquire({ signal: stopped.signal });
    const from = now();
    const token = String(held.fencingToken);
    let to: Time | null = null;
    held.signal.addEventListener('abort', () => {
      to ??= now();
    });
    write({ what: 'granted', token, from });
    tell({ what: 'granted', from });
    await pause(terms.work);
    const why = held.isHeld ? 'released' : 'lost';
    to ??= now();
    write({ what: 'ended', token, to, why });
    await held.release();
  }
}

async function tellStanding(): Promise<void> {
  while (zk.state !== 'connected') await pause(10);
  await signed;
  tell({ what: 'standing', standing: { session: String(zk.session?.id), sign, losses } });
}

process.on('message', (order: RivalOrder) => {
  if (order === 'stop') stopped.abort(new Error('stopped'));
  else void tellStanding();
});
// The test is gone, however it went: nobody is to stay behind.
process.on('disconnect', () => process.exit(1));

const zk = new ZooKeeper(terms.connectString, { sessionTimeout: terms.sessionTimeout, shuffle: false });
zk.on('connected', () => follow(zk));
zk.on('renewed', () => follow(zk));
await zk.connect();
try {
  await compete(zk);
} catch (error) {
  if (error !== stopped.signal.reason) throw error;
}
await zk.close();
process.removeAllListeners('disconnect');
process.disconnect();
