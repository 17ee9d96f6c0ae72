import { afterEach, describe, expect, it } from '@jest/globals';
import type { Grant } from '../src/session/grant.ts';
import { machine, type State } from '../src/session/machine.ts';
import { PASSWORD } from './support/bytes.ts';
import { client, closeClients } from './support/clients.ts';
import { FakeEnsemble } from './support/fake-ensemble.ts';
import { generator } from './support/generator.ts';
import { turn } from './support/manual-clock.ts';
import { Simulation } from './support/simulation.ts';

afterEach(closeClients);

interface Made {
  path: string;
  writes: boolean;
  settled: number;
  result: unknown;
  error: { code?: string; maybeApplied?: boolean } | null;
}

interface Watched {
  path: string;
  told: string[];
  /** Whether the read that set it has succeeded. */
  set: boolean;
}

/** Half a minute of a client's life among servers that fail in every way, and what must hold of it. */
async function live(seed: number): Promise<string[]> {
  const random = generator(seed);
  const chance = (odds: number): boolean => random() < odds;
  const within = (from: number, to: number): number => from + random() * (to - from);
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const wrong: string[] = [];
  const claim = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(`seed ${seed}: ${what}`);
  };

  const net = new Simulation();
  const { clock } = net;
  const T = oneOf([1_500, 4_000, 8_000]);
  const latency = oneOf([0, 0, 5, 40]);
  net.delay = () => (latency === 0 ? 0 : Math.ceil(within(0, latency)));
  const requestTimeout = chance(0.5) ? 900 : undefined;
  let faulty = true;
  const sessions = new Map<bigint, Grant>();
  // A process that stands still can tell nobody in time: then a look at the clock has to do.
  const blocks = chance(0.3);
  const replaces = chance(0.25);
  const ensemble = new FakeEnsemble(net, ['a', 'b', 'c'].slice(0, oneOf([1, 3])), T, {
    replaces,
    random,
    // Half a tick: at most a quarter of the timeout, and at most half of the standard tick.
    reportInterval: chance(0.5) ? 0 : Math.min(T / 4, 1_000) * oneOf([0.3, 1]),
    password: replaces && chance(0.5) ? Buffer.alloc(16) : PASSWORD,
    onExpired: (id) => {
      const session = sessions.get(id);
      if (session === undefined) return;
      if (!blocks)
        claim(
          session.signal.aborted,
          `the server has expired a session that its client believes in (T ${T}, at ${clock.now()})`,
        );
      claim(
        session.signal.aborted || session.lostAt <= clock.now(),
        'the server has expired a session whose lease runs on',
      );
    },
    fault: () => {
      if (!faulty) return 'none';
      if (chance(0.02)) return 'throttle';
      if (chance(0.01)) return oneOf(['close-before', 'close-after']);
      return requestTimeout !== undefined && chance(0.01) ? 'swallow' : 'none';
    },
  });

  const { zk } = client(net, ensemble.names.join(','), {
    connectTimeout: 0,
    sessionTimeout: T,
    maxInFlight: oneOf([2, 1_000]),
    retry: { retries: 1_000, minTimeout: 0, maxTimeout: 0, randomize: false },
    environment: { ...net.environment, random, firstXid: oneOf([1, 2 ** 31 - 10]) },
    ...(requestTimeout === undefined ? {} : { requestTimeout }),
  });
  let state: State = 'connecting';
  zk.on('error', (error) => wrong.push(`seed ${seed}: an error event: ${String(error)}`));
  zk.on('state', (next, previous) => {
    claim(previous === state, `${previous} -> ${next} came in ${state}`);
    claim(
      Object.values(machine[previous]).some((edge) => edge.next === next),
      `${previous} -> ${next} is no edge`,
    );
    state = next;
    if (zk.session !== null) sessions.set(zk.session.id, zk.session as Grant);
    if (next === 'lost') claim(zk.session === null, 'a lost session is still there');
  });

  const calls: Made[] = [];
  const watched: Watched[] = [];
  const pending = new Set<number>();
  const after = (ms: number, what: () => void): void => {
    const number = pending.size === 0 ? 1 : Math.max(...pending) + 1;
    pending.add(number);
    clock.setTimeout(() => {
      pending.delete(number);
      what();
    }, ms);
  };
  const changedAt = new Map<string, number>();
  const act = (): void => {
    const number = calls.length;
    const call: Made = { path: `/${number}`, writes: chance(0.5), settled: 0, result: null, error: null };
    calls.push(call);
    const giveUp = new AbortController();
    if (chance(0.1)) after(within(0, 500), () => giveUp.abort('given up'));
    const options = { signal: giveUp.signal, ...(chance(0.2) ? { timeout: Math.ceil(within(1, 3_000)) } : {}) };
    let promise: Promise<unknown>;
    if (call.writes)
      promise = oneOf([
        () => zk.set(call.path, '', options),
        () => zk.create(call.path, '', options),
        () => zk.delete(call.path, options),
      ])();
    else if (chance(0.3)) {
      const watch: Watched = { path: call.path, told: [], set: false };
      watched.push(watch);
      promise = zk.get(call.path, {
        ...options,
        watch: ({ type, path }) => {
          claim(path === watch.path, `a watch on ${watch.path} was told of ${path}`);
          claim(watch.set || type !== 'changed', `a watch on ${watch.path} was told before the read that set it`);
          watch.told.push(type);
        },
      });
      promise.then(
        () => {
          watch.set = true;
        },
        () => {},
      );
    } else promise = oneOf([() => zk.get(call.path, options), () => zk.sync(call.path, options)])();
    promise.then(
      (result) => {
        call.settled += 1;
        call.result = result;
        const data = (result as { data?: Buffer } | undefined)?.data;
        claim(
          data === undefined || data.toString() === call.path,
          `${call.path} was answered with ${data?.toString()}`,
        );
      },
      (error) => {
        call.settled += 1;
        call.error = error;
      },
    );
  };

  const disturb = (): void => {
    const name = oneOf(ensemble.names);
    const key = `${name}:2181`;
    const later = (what: () => void, most: number): void => {
      after(within(1, most), what);
    };
    oneOf([
      () => ensemble.cut(name),
      () => {
        ensemble.down(name);
        later(() => ensemble.up(name), 1.5 * T);
      },
      () => {
        net.hold(key);
        later(() => net.letGo(key), 1.5 * T);
      },
      () => {
        net.vanished.add(key);
        later(() => net.vanished.delete(key), T);
      },
      () => {
        for (const each of ensemble.names) net.hold(`${each}:2181`);
        later(() => {
          for (const each of ensemble.names) net.letGo(`${each}:2181`);
        }, 2 * T);
      },
    ])();
  };

  const end = clock.now() + 30_000;
  let disturbance = clock.now() + within(0, 2_000);
  while (clock.now() < end) {
    await clock.advance(Math.ceil(within(1, 120)));
    if (calls.length < 600) act();
    if (chance(0.2) && watched.length > 0) {
      const { path } = oneOf(watched);
      changedAt.set(path, clock.now());
      ensemble.change(path);
    }
    if (blocks && chance(0.02)) {
      await clock.jump(within(1, 1.2 * T));
      await turn();
    }
    if (clock.now() > disturbance) {
      disturb();
      disturbance = clock.now() + within(50, 4_000);
    }
  }

  const unsettled = (): string =>
    calls
      .filter(({ settled }) => settled !== 1)
      .map(({ path, settled }) => `${path}: ${settled}`)
      .join(', ');
  const peaceful = chance(0.7);
  if (peaceful) {
    // Everything is well again, and stays so.
    faulty = false;
    for (const name of ensemble.names) {
      ensemble.up(name);
      net.letGo(`${name}:2181`);
      net.vanished.delete(`${name}:2181`);
    }
    await clock.advance(4 * T + 20_000);
    claim(zk.state === 'connected', `in peace the client is ${zk.state}`);
    claim(ensemble.sessions === 1, `in peace there are ${ensemble.sessions} sessions`);
    for (const { path } of watched) ensemble.change(path);
    await clock.advance(2 * latency + 100);
    claim(unsettled() === '', `in peace calls have not settled once: ${unsettled()}`);
  }
  let closed = 0;
  const started = clock.now();
  void zk.close().then(() => {
    closed = clock.now();
  });
  claim(await clock.advanceUntil(() => closed > 0, 2 * T), 'close() has not come to its end');
  claim(closed - started <= T, `close() took ${closed - started} ms of a session of ${T} ms`);
  claim(zk.state === 'closed' && zk.session === null, `after close() the client is ${zk.state}`);
  claim(unsettled() === '', `after close() calls have not settled once: ${unsettled()}`);
  for (const { path, set, told } of watched) {
    claim(!set || told.length === 1, `the watch on ${path} was told ${told.join(', ') || 'nothing'}`);
    claim(set || told.length === 0, `the watch on ${path}, which was not set, was told ${told.join(', ')}`);
    claim(!peaceful || told[0] !== 'closed', `the watch on ${path} has missed a change`);
  }
  const attempts = net.attempts.length;
  claim(attempts <= 40 + clock.now() / 500, `${attempts} attempts in ${clock.now()} ms`);
  for (const name of ensemble.names) {
    ensemble.up(name);
    net.letGo(`${name}:2181`);
  }
  await clock.advance(T + 1_000);
  ensemble.stop();
  await turn();
  claim(net.attempts.length === attempts, 'a closed client has connected');
  claim(!peaceful || ensemble.sessions === 0, 'the session was not ended');
  claim(
    [...ensemble.servers.values()].every(({ open }) => open === 0),
    'a connection is left',
  );
  // What the test itself has set for later is no timer of the client.
  claim(clock.timers <= pending.size, `${clock.timers - pending.size} timers are left`);

  const applied = new Map<string, number>();
  for (const path of ensemble.applied) applied.set(path, (applied.get(path) ?? 0) + 1);
  for (const { path, writes, error } of calls) {
    const times = applied.get(path) ?? 0;
    if (!writes) continue;
    claim(times <= 1, `the write ${path} was applied ${times} times`);
    if (error === null) claim(times === 1, `the write ${path} succeeded and was not applied`);
    else if (error.maybeApplied === false) claim(times === 0, `the write ${path} was applied and its error denies it`);
    else
      claim(
        error.maybeApplied === true || (error as unknown) === 'given up',
        `the write ${path} failed and says nothing of it`,
      );
  }
  return wrong;
}

const { ZOOKIT_SEED: chosen } = process.env;
const seeds = chosen === undefined ? Array.from({ length: 40 }, (_, i) => i + 1) : chosen.split(',').map(Number);

describe('a client among failing servers', () => {
  it.each(seeds)('keeps its promises: seed %i', async (seed) => {
    expect(await live(seed)).toEqual([]);
  });
});
