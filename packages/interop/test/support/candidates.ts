import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '@zookit/quickstart/records';
import { readRecords } from '@zookit/quickstart/records';
import { type Held, LeaderLatch, LeaderSelector, type Participant, type ZooKeeper } from 'zookit';
import type { ContenderProcess } from './contender-process.ts';

/** One who stands for leadership, of whichever library. */
export interface Candidate {
  readonly id: string;
  stand(path: string): Promise<void>;
  /** Resolves when a term of it that nobody has heard of yet begins. */
  leads(): Promise<void>;
  /** Ends the term; a selector's candidate queues again. */
  stepDown(): Promise<void>;
  participants(): Promise<Participant[]>;
  leader(): Promise<string>;
  close(): Promise<void>;
  /** Its terms, by its own record; the tokens mean nothing. */
  terms(): readonly Hold[];
}

export type Recipe = 'latch' | 'selector';

let count = 0;

/** Of Curator, in a Java process. */
export function curatorCandidate(recipe: Recipe, process: ContenderProcess, folder: string): Candidate {
  count += 1;
  const id = `curator-${count}`;
  const ask = (word: string, start: string): Promise<string> => process.ask(`${word} ${id}`, `${start} ${id}`);
  return {
    id,
    stand: async (path) => {
      await process.ask(`${recipe === 'latch' ? 'latch' : 'select'} ${id} ${path}`, `stands ${id}`);
    },
    leads: async () => {
      await process.hear(`leads ${id}`);
    },
    stepDown: async () => {
      await (recipe === 'latch' ? ask('close', 'closed') : ask('yield', 'led'));
    },
    participants: async () =>
      (await ask('participants', 'participants')).split(' ').map((text) => ({
        id: text.replace('*', ''),
        isLeader: text.endsWith('*'),
      })),
    leader: () => ask('leader', 'leader'),
    close: async () => {
      await ask('close', 'closed');
    },
    terms: () => readRecords(id, readFileSync(join(folder, `${id}.jsonl`), 'utf8'), process.deadAt).holds,
  };
}

/** Of zookit, in this process. */
export function zookitCandidate(recipe: Recipe, zk: ZooKeeper): Candidate {
  count += 1;
  const id = `zookit-${count}`;
  const terms: Hold[] = [];
  const unheard: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  let held: Held | null = null;
  let it: LeaderLatch | LeaderSelector;

  function begins(next: Held): void {
    held = next;
    const term: Hold = { service: id, token: BigInt(terms.length), from: now(), to: 2n ** 63n, end: 'open' };
    terms.push(term);
    next.signal.addEventListener('abort', () => Object.assign(term, { to: now(), end: 'lost' }), { once: true });
    const hear = waiting.shift();
    if (hear === undefined) unheard.push(() => {});
    else hear();
  }

  return {
    id,
    stand: (path) => {
      if (recipe === 'latch') it = new LeaderLatch(zk, path, { id }).on('leader', begins);
      else
        it = new LeaderSelector(zk, path, { id, requeue: true }, async (next) => {
          begins(next);
          await new Promise((resolve) => next.signal.addEventListener('abort', resolve, { once: true }));
        });
      return it.start();
    },
    leads: () =>
      new Promise((resolve) => {
        if (unheard.shift() === undefined) waiting.push(resolve);
        else resolve();
      }),
    stepDown: async () => {
      await (recipe === 'latch' ? it.close() : held?.release());
    },
    participants: () => it.participants(),
    leader: async () => (await it.leader())?.id ?? 'nobody',
    close: () => it.close(),
    terms: () => terms,
  };
}

function now(): bigint {
  return process.hrtime.bigint();
}
