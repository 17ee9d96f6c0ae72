// Stands in line by zookit's locks, led by lines on standard input; the README has the commands.
// Arguments: connect string, session timeout in ms, folder for records, layout.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordFile } from '@zookit/quickstart/records';
import { type Held, Mutex, type MutexOptions, ReadWriteLock, Semaphore, ZooKeeper } from 'zookit';

const [connectString = '', sessionTimeout, folder = '', layout] = process.argv.slice(2);
const options = { layout } as MutexOptions;

function say(...words: unknown[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

/** One kind of lock, of one contender, and when it was held. */
class Role {
  readonly #id: string;
  readonly #records: RecordFile;
  #held: Held | null = null;

  constructor(id: string, kind: string) {
    this.#id = id;
    this.#records = new RecordFile(join(folder, `${id}.${kind}.jsonl`));
  }

  async acquire(waitFor: () => Promise<Held>): Promise<Held> {
    this.#records.queued(process.hrtime.bigint());
    const held = await waitFor();
    this.#records.granted(held.fencingToken, process.hrtime.bigint());
    this.#held = held;
    held.signal.addEventListener('abort', () => this.#end(held, 'lost'), { once: true });
    return held;
  }

  async release(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    // Written down before the release that lets the next one in.
    this.#end(held, 'released');
    await held.release();
  }

  #end(held: Held, why: 'released' | 'lost'): void {
    // The signal aborts at a release, too.
    if (this.#held !== held) return;
    this.#records.ended(held.fencingToken, process.hrtime.bigint(), why);
    this.#held = null;
    if (why === 'lost') say('lost', this.#id);
  }
}

type Work = () => Promise<void>;

/** Does one thing after the other in one async context, as a thread would. */
class Contender {
  readonly #zk: ZooKeeper;
  readonly #id: string;
  readonly #roles = new Map<string, Role>();
  readonly #readWriteLocks = new Map<string, ReadWriteLock>();
  readonly #todo: Work[] = [];
  #wake: (() => void) | null = null;

  constructor(zk: ZooKeeper, id: string) {
    this.#zk = zk;
    this.#id = id;
    this.#work().catch((error: unknown) => say('failed', id, error));
  }

  obey(work: (contender: this) => Promise<void>): void {
    this.#todo.push(() => work(this));
    this.#wake?.();
  }

  async acquire(path: string, kind: string): Promise<Held> {
    return this.#role(kind).acquire(() => this.#waitFor(path, kind));
  }

  async release(kind: string): Promise<void> {
    await this.#role(kind).release();
  }

  async race(path: string, kind: string, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      await this.acquire(path, kind);
      await sleep(1);
      await this.release(kind);
    }
  }

  async #work(): Promise<never> {
    for (;;) {
      const work = this.#todo.shift();
      if (work !== undefined) await work();
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #waitFor(path: string, kind: string): Promise<Held> {
    const [name, leases, count = '1'] = kind.split(':');
    if (name === 'semaphore') {
      return new Semaphore(this.#zk, path, { leases: Number(leases) }).acquire({ count: Number(count) });
    }
    if (name !== 'read' && name !== 'write') return new Mutex(this.#zk, path, options).acquire();
    const lock = this.#readWriteLocks.get(path) ?? new ReadWriteLock(this.#zk, path);
    this.#readWriteLocks.set(path, lock);
    return lock[name].acquire();
  }

  #role(kind: string): Role {
    const role = this.#roles.get(kind) ?? new Role(this.#id, kind);
    this.#roles.set(kind, role);
    return role;
  }
}

const zk = await ZooKeeper.connect(connectString, { sessionTimeout: Number(sessionTimeout) });
const contenders = new Map<string, Contender>();

function contenderOf(id: string): Contender {
  const contender = contenders.get(id) ?? new Contender(zk, id);
  contenders.set(id, contender);
  return contender;
}

async function answer(command: string, path: string): Promise<void> {
  if (command === 'clock') say(command, process.hrtime.bigint());
  else if (command === 'participants') {
    const queue = await new Mutex(zk, path, options).queue();
    say(command, ...queue.map((entry) => entry.path));
  } else if (command === 'revoke') {
    say('revoked', await new Mutex(zk, path, options).revoke());
  } else throw new Error(`no such command: ${command}`);
}

function obey([command = '', first = '', ...words]: string[]): void | Promise<void> {
  if (command === 'acquire') {
    const [path = '', kind = '', revocable] = words;
    contenderOf(first).obey(async (contender) => {
      const held = await contender.acquire(path, kind);
      if (revocable !== undefined) held.on('revoke', () => say('asked', first));
      say('granted', first, held.path);
    });
  } else if (command === 'release') {
    contenderOf(first).obey(async (contender) => {
      await contender.release(words[0] as string);
      say('released', first);
    });
  } else if (command === 'race') {
    const [path = '', kind = '', count] = words;
    contenderOf(first).obey(async (contender) => {
      await contender.race(path, kind, Number(count));
      say('raced', first);
    });
  } else return answer(command, first);
}

say('ready');
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line === 'quit') input.close();
  else Promise.resolve(obey(line.split(' '))).catch((error: unknown) => say('failed', line, '-', error));
});
// Also when whoever leads is gone.
input.on('close', () => {
  zk.close({ timeout: 1_000 }).finally(() => process.exit());
});
