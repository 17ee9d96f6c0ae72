import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultProxy, RealServer } from '@zookit/testing';
import { ZooKeeper, type ZooKeeperError } from '../../src/index.ts';
import { Clients, next, type Observed, until } from './support.ts';

jest.setTimeout(60_000);

const TIMEOUT = 4_000;
const clients = new Clients();
const proxies: FaultProxy[] = [];
let server: RealServer;

beforeAll(async () => {
  server = await RealServer.start();
});
afterEach(async () => {
  await Promise.all(proxies.map((proxy) => proxy.restore()));
  await clients.close();
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});
afterAll(() => server.stop());

async function proxied(): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(server.connectString);
  proxies.push(proxy);
  return proxy;
}

/** Stops the event loop. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function justAfterAnAnswer({ zk }: Observed): Promise<void> {
  const before = zk.session?.deadline;
  await until('a ping was answered', () => zk.session?.deadline !== before);
}

/** How many of a hundred calls ended in which way. Each must end, and once. */
async function outcomes(calls: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const result of await Promise.allSettled(calls)) {
    const key = result.status === 'fulfilled' ? 'ok' : String((result.reason as ZooKeeperError).code);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function hundredWrites({ zk }: Observed): Promise<unknown>[] {
  return Array.from({ length: 100 }, (_, index) => zk.set('/pending', String(index)));
}

async function pendingNode(zk: ZooKeeper): Promise<void> {
  if ((await zk.exists('/pending')) === null) await zk.create('/pending');
}

describe('a half-open link', () => {
  it('is noticed by two thirds of the timeout, and left for another host before the session ends', async () => {
    const [first, second] = [await proxied(), await proxied()];
    const hosts = `${first.connectString},${second.connectString}`;
    const client = await clients.connect(hosts, { sessionTimeout: TIMEOUT, shuffle: false });
    const { zk } = client;
    await zk.create('/half-open', null, { mode: 'ephemeral' });
    const { id } = zk.session ?? {};
    await justAfterAnAnswer(client);
    const [suspended, reconnected] = [next(zk, 'suspended'), next(zk, 'reconnected')];
    const heard = performance.now();
    await first.blackhole();
    await suspended;
    expect(performance.now() - heard).toBeLessThan((2 / 3) * TIMEOUT + 250);
    await reconnected;
    expect(performance.now() - heard).toBeLessThan(TIMEOUT);
    expect(zk.session?.id).toBe(id);
    expect((await zk.exists('/half-open'))?.ephemeralOwner).toBe(id);
    expect(client.events).toEqual(['connected', 'suspended', 'reconnected']);
  });

  it('to a host that accepts and stays mute does not keep the next host from being tried', async () => {
    const [mute, good] = [await proxied(), await proxied()];
    await mute.blackhole();
    const since = performance.now();
    const hosts = `${mute.connectString},${good.connectString}`;
    const { zk } = await clients.connect(hosts, { sessionTimeout: 3_000, shuffle: false });
    // A third of the timeout: two hosts were untried, plus one.
    expect(performance.now() - since).toBeGreaterThan(900);
    expect(performance.now() - since).toBeLessThan(1_500);
    expect(zk.state).toBe('connected');
  });
});

describe('a session that expires', () => {
  it('because somebody else ended it: pending calls settle once each, a new session follows, auth comes first', async () => {
    const proxy = await proxied();
    const auth = [{ scheme: 'digest', auth: 'amy:secret' }];
    const client = await clients.connect(proxy.connectString, { sessionTimeout: TIMEOUT, auth });
    const { zk } = client;
    await pendingNode(zk);
    await zk.create('/guarded', 'x', { mode: 'ephemeral', acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    await zk.create('/amys', 'x', { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
    const { id, password } = zk.session ?? { id: 0n, password: Buffer.alloc(0) };
    const signal = zk.session?.signal as AbortSignal;
    await proxy.blackhole({ keep: true });
    const onTheWire = hundredWrites(client);
    const read = zk.get('/amys');
    // Takes the session over, on a link of its own, and ends it.
    const other = await clients.connect(server.connectString, { session: { id, password, timeout: TIMEOUT } });
    expect(other.zk.session?.id).toBe(id);
    await other.zk.close();
    const [suspended, renewed] = [next(zk, 'suspended'), next(zk, 'renewed')];
    await proxy.cut();
    await suspended;
    const waiting = hundredWrites(client);
    await proxy.restore();
    await renewed;
    expect(await outcomes(onTheWire)).toEqual({ CONNECTION_LOSS: 100 });
    expect(await outcomes(waiting)).toEqual({ SESSION_EXPIRED: 100 });
    // Allowed for amy only: the credentials went ahead of the read, on the new session too.
    expect((await read).data?.toString()).toBe('x');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(zk.session?.id).not.toBe(id);
    expect(await zk.exists('/guarded')).toBeNull();
    expect(client.events.filter((event) => event === 'lost' || event === 'renewed')).toEqual(['lost', 'renewed']);
    await zk.delete('/amys');
  });

  it('because the link is held: lost by the clock, in time, and told to every call', async () => {
    const proxy = await proxied();
    const client = await clients.connect(proxy.connectString, { sessionTimeout: TIMEOUT });
    const { zk } = client;
    await pendingNode(zk);
    await zk.create('/held', null, { mode: 'ephemeral' });
    const watching = await clients.connect(server.connectString, { sessionTimeout: TIMEOUT });
    const session = zk.session as NonNullable<typeof zk.session>;
    const aborted = new Promise<number>((resolve) => {
      session.signal.addEventListener('abort', () => resolve(performance.now()));
    });
    const gone = new Promise<number>((resolve, reject) => {
      watching.zk.exists('/held', { watch: () => resolve(performance.now()) }).catch(reject);
    });
    await until('the watch is set', async () => (await watching.zk.exists('/held')) !== null);
    await proxy.blackhole();
    const writes = hundredWrites(client);
    const { deadline } = session;
    const told = await aborted;
    expect(told).toBeLessThan(deadline);
    expect(await outcomes(writes)).toEqual({ CONNECTION_LOSS: 100 });
    expect(told).toBeLessThan(await gone);
    await proxy.restore();
    await until('a new session', () => zk.state === 'connected');
    expect(client.events).toEqual(['connected', 'suspended', 'lost', 'renewed']);
    expect(await zk.exists('/held')).toBeNull();
  });

  it('is not followed by another with renewSession: false', async () => {
    const proxy = await proxied();
    const { zk, events } = await clients.connect(proxy.connectString, { sessionTimeout: TIMEOUT, renewSession: false });
    const suspended = next(zk, 'suspended');
    await proxy.cut({ stay: true });
    await suspended;
    const waiting = [zk.set('/pending', 'x'), zk.exists('/')];
    expect(await outcomes(waiting)).toEqual({ SESSION_EXPIRED: 2 });
    expect(zk.state).toBe('lost');
    expect(await outcomes([zk.exists('/')])).toEqual({ SESSION_EXPIRED: 1 });
    await proxy.restore();
    expect(events).toEqual(['connected', 'suspended', 'lost']);
  });
});

describe('an event loop that is blocked just after an answer', () => {
  it('for 0.9 of the timeout keeps its session', async () => {
    const client = await clients.connect(server.connectString, {
      sessionTimeout: TIMEOUT,
      leaseMargin: 0.05 * TIMEOUT,
    });
    const { id } = client.zk.session ?? {};
    await justAfterAnAnswer(client);
    block(0.9 * TIMEOUT);
    await client.zk.exists('/');
    expect(client.zk.session?.id).toBe(id);
    expect(client.events).toEqual(['connected']);
  });

  it('for 1.5 of the timeout is told first, before any call settles, and gets a new session', async () => {
    const client = await clients.connect(server.connectString, { sessionTimeout: TIMEOUT });
    const { zk } = client;
    const order: string[] = [];
    zk.session?.signal.addEventListener('abort', () => order.push('signal'));
    zk.on('lost', () => order.push('lost'));
    await justAfterAnAnswer(client);
    const call = zk.exists('/').then(() => order.push('call'));
    block(1.5 * TIMEOUT);
    expect(zk.session?.remaining()).toBe(0);
    await call;
    expect(order).toEqual(['signal', 'lost', 'call']);
    expect(client.events).toEqual(['connected', 'lost', 'renewed']);
  });
});

describe('a session', () => {
  it('can be left alive and taken over; a wrong password is lost at once and costs the owner nothing but its connection', async () => {
    const first = await clients.connect(server.connectString, { sessionTimeout: 8_000 });
    await first.zk.create('/kept', null, { mode: 'ephemeral' });
    const { id, password } = first.zk.session ?? { id: 0n, password: Buffer.alloc(0) };
    await first.zk.close({ detach: true });
    const second = await clients.connect(server.connectString, { session: { id, password, timeout: 8_000 } });
    expect(second.zk.session?.id).toBe(id);
    expect((await second.zk.exists('/kept'))?.ephemeralOwner).toBe(id);

    const wrong = { id, password: Buffer.alloc(16, 1) };
    const refused = ZooKeeper.connect(server.connectString, { session: wrong, renewSession: false });
    await expect(refused).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
    const third = await clients.connect(server.connectString, { session: wrong });
    expect(third.events).toEqual(['lost', 'renewed']);
    expect(third.zk.session?.id).not.toBe(id);

    await until('the owner is back', () => second.zk.state === 'connected');
    expect(second.zk.session?.id).toBe(id);
    expect((await second.zk.exists('/kept'))?.ephemeralOwner).toBe(id);
  });
});
