import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { Clients, next, until } from '../real/support.ts';
import { outcome } from '../support/until.ts';

jest.setTimeout(60_000);

const clients = new Clients();
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterEach(() => clients.close());
afterAll(() => server.stop());

/** The connections that carry a session, as the server counts them. */
async function connections(): Promise<string[]> {
  return [...(await server.fourLetterWord(0, 'cons')).matchAll(/sid=(0x[0-9a-f]+)/g)].map(([, id]) => id as string);
}

describe('a server that is restarted five times', () => {
  it('has one connection of its client each time, and the client’s watch hears of one change once', async () => {
    const client = await clients.connect(server.connectString, { sessionTimeout: 10_000 });
    const { zk } = client;
    await zk.create('/restarted', 'x');
    const heard: string[] = [];
    await zk.get('/restarted', { watch: ({ type, path }) => heard.push(`${type} ${path}`) });
    await zk.children('/restarted', { watch: ({ type, path }) => heard.push(`${type} ${path}`) });
    const id = BigInt.asUintN(64, zk.session?.id ?? 0n);
    client.forget();
    for (let round = 0; round < 5; round += 1) {
      const reconnected = next(zk, 'reconnected');
      await server.kill(0);
      await server.start(0);
      await reconnected;
      await zk.sync();
      expect(await connections()).toEqual([`0x${id.toString(16)}`]);
    }
    expect(client.events).toEqual(Array.from({ length: 5 }, () => ['suspended', 'reconnected']).flat());
    expect(heard).toEqual([]);
    await zk.set('/restarted', 'y');
    await zk.set('/restarted', 'z');
    await zk.sync();
    expect(heard).toEqual(['changed /restarted']);
    const { id: signed } = zk.session ?? {};
    expect(BigInt.asUintN(64, signed ?? 0n)).toBe(id);
    await zk.close();
    await until('no connection is left', async () => (await connections()).length === 0);
  });
});

describe('a server that is stopped by SIGSTOP for longer than the session', () => {
  it('is noticed by two thirds of the timeout; the session is over by its deadline, and the next one works', async () => {
    const TIMEOUT = 4_000;
    const client = await clients.connect(server.connectString, { sessionTimeout: TIMEOUT });
    const { zk } = client;
    expect(zk.session?.timeout).toBe(TIMEOUT);
    await zk.create('/stopped', null, { mode: 'ephemeral' });
    const session = zk.session as NonNullable<typeof zk.session>;
    const at = { suspended: 0, lost: 0, aborted: 0 };
    zk.once('suspended', () => {
      at.suspended = performance.now();
    });
    zk.once('lost', () => {
      at.lost = performance.now();
    });
    session.signal.addEventListener('abort', () => {
      at.aborted = performance.now();
    });
    await zk.sync();
    const answered = performance.now();
    await server.pause(0);
    const pending = [outcome(zk.set('/stopped', 'x')), outcome(zk.get('/'))];
    await until('the session is lost', () => at.lost > 0);
    expect(at.suspended - answered).toBeLessThan((2 / 3) * TIMEOUT + 250);
    expect(at.suspended - answered).toBeGreaterThan(TIMEOUT / 3 - 50);
    expect(at.lost).toBeLessThan(session.deadline);
    expect(at.aborted).toBeLessThanOrEqual(at.lost);
    // The kernel goes on accepting connections, so a socket alone is no sign of life.
    expect(zk.state).toBe('connecting');
    await server.resume(0);
    await until('a new session', () => zk.state === 'connected');
    expect(zk.session?.id).not.toBe(session.id);
    const [write, read] = await Promise.all(pending);
    expect(write).toMatchObject({ code: 'CONNECTION_LOSS', maybeApplied: true });
    expect(read).toMatchObject({ stat: { ephemeralOwner: 0n } });
    expect(await zk.exists('/stopped')).toBeNull();
    expect(client.events).toEqual(['connected', 'suspended', 'lost', 'renewed']);
  });
});

describe('a quota', () => {
  it('that is used up rejects with its own error, and the connection stays', async () => {
    const { zk, events } = await clients.connect(server.connectString);
    await zk.create('/limited', 'x');
    await zk.create('/zookeeper/quota/limited', null);
    const limits = 'count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=3';
    await zk.create('/zookeeper/quota/limited/zookeeper_limits', limits);
    await zk.create('/zookeeper/quota/limited/zookeeper_stats', 'count=1,bytes=1');
    const refused = { code: 'QUOTA_EXCEEDED', errno: -125, name: 'QuotaExceededError' };
    const tooMuch = Buffer.alloc(100);
    expect(await outcome(zk.set('/limited', tooMuch))).toMatchObject({
      ...refused,
      path: '/limited',
      operation: 'set',
    });
    await zk.create('/limited/a');
    await zk.create('/limited/b');
    expect(await outcome(zk.create('/limited/c'))).toMatchObject({ ...refused, path: '/limited/c' });
    expect((await zk.get('/limited')).data?.toString()).toBe('x');
    await zk.set('/limited', 'within');
    expect(events).toEqual(['connected']);
  });
});
