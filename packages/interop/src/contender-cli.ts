// Stands in line by zookit's Mutex, led by lines on standard input; the README has the commands.
// Arguments: connect string, session timeout in ms, folder for records, layout.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { RecordFile } from '@zookit/quickstart/records';
import { type Held, Mutex, type MutexOptions, ZooKeeper } from 'zookit';

const [connectString = '', sessionTimeout, folder = '', layout] = process.argv.slice(2);
const options = { layout } as MutexOptions;

function say(...words: unknown[]): void {
  process.stdout.write(`${words.join(' ')}\n`);
}

class Contender {
  readonly #zk: ZooKeeper;
  readonly #id: string;
  readonly #records: RecordFile;
  #held: Held | null = null;

  constructor(zk: ZooKeeper, id: string) {
    this.#zk = zk;
    this.#id = id;
    this.#records = new RecordFile(join(folder, `${id}.jsonl`));
  }

  async acquire(path: string, isRevocable: boolean): Promise<Held> {
    const mutex = new Mutex(this.#zk, path, options);
    this.#records.queued(process.hrtime.bigint());
    const held = await mutex.acquire();
    this.#records.granted(held.fencingToken, process.hrtime.bigint());
    this.#held = held;
    held.signal.addEventListener('abort', () => this.#end(held, 'lost'), { once: true });
    if (isRevocable) held.on('revoke', () => say('asked', this.#id));
    return held;
  }

  async release(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    // Written down before the release that lets the next one in.
    this.#end(held, 'released');
    await held.release();
  }

  async race(path: string, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      await this.acquire(path, false);
      await sleep(1);
      await this.release();
    }
  }

  #end(held: Held, why: 'released' | 'lost'): void {
    // The signal aborts at a release, too.
    if (this.#held !== held) return;
    this.#records.ended(held.fencingToken, process.hrtime.bigint(), why);
    this.#held = null;
    if (why === 'lost') say('lost', this.#id);
  }
}

const zk = await ZooKeeper.connect(connectString, { sessionTimeout: Number(sessionTimeout) });
const contenders = new Map<string, Contender>();

function contenderOf(id: string): Contender {
  const contender = contenders.get(id) ?? new Contender(zk, id);
  contenders.set(id, contender);
  return contender;
}

async function obey([command = '', first = '', path = '', last]: string[]): Promise<void> {
  if (command === 'clock') say(command, process.hrtime.bigint());
  else if (command === 'participants') {
    const queue = await new Mutex(zk, first, options).queue();
    say(command, ...queue.map((entry) => entry.path));
  } else if (command === 'revoke') {
    say('revoked', await new Mutex(zk, first, options).revoke());
  } else if (command === 'acquire') {
    const held = await contenderOf(first).acquire(path, last === 'revocable');
    say('granted', first, held.path);
  } else if (command === 'release') {
    await contenderOf(first).release();
    say('released', first);
  } else if (command === 'race') {
    await contenderOf(first).race(path, Number(last));
    say('raced', first);
  } else throw new Error(`no such command: ${command}`);
}

say('ready');
const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line === 'quit') input.close();
  else obey(line.split(' ')).catch((error: unknown) => say('failed', line, '-', error));
});
// Also when whoever leads is gone.
input.on('close', () => {
  zk.close({ timeout: 1_000 }).finally(() => process.exit());
});
