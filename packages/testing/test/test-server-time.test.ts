import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { memorySocketPair, TestServer, type TestServerOptions } from '../src/index.ts';
import { ManualClock } from './manual-clock.ts';
import { createBody, int, Op, RawClient, type RawHandshake, setBody, str, ttlBody, versionBody } from './raw-client.ts';

// No ports and no real time: streams in memory, and a clock that the test moves.

interface Simulation {
  clock: ManualClock;
  server: TestServer;
  open(handshake?: RawHandshake, member?: number): Promise<RawClient>;
}

async function simulate(
  run: (simulation: Simulation) => Promise<void>,
  options: TestServerOptions = {},
): Promise<void> {
  const clock = new ManualClock(1234);
  const server = await TestServer.start({ listen: false, clock, ...options });
  const clients: RawClient[] = [];
  const open = async (handshake?: RawHandshake, member = 0): Promise<RawClient> => {
    const [near, far] = memorySocketPair();
    server.accept(far, member);
    const client = new RawClient(near);
    clients.push(client);
    await client.handshake(handshake);
    return client;
  };
  try {
    await run({ clock, server, open });
  } finally {
    for (const client of clients) client.stream.destroy();
    await server.stop();
  }
  expect(clock.pending).toBe(0);
  expect(server.connections).toBe(0);
}

describe('sessions', () => {
  // 1234 + 1000 falls into the tick that ends at 2500.
  it('expire with the tick that their timeout falls in', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 1000 });
      clock.advanceTo(2499);
      expect(server.sessions()).toHaveLength(1);
      clock.advanceTo(2500);
      expect(server.sessions()).toEqual([]);
      await client.ended();
    }));

  it('have a whole tick more when their timeout ends on one', () =>
    simulate(async ({ clock, server, open }) => {
      clock.advanceTo(1500);
      await open({ timeout: 1000 });
      clock.advanceTo(2999);
      expect(server.sessions()).toHaveLength(1);
      clock.advanceTo(3000);
      expect(server.sessions()).toEqual([]);
    }));

  it('count from the last thing that came', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 1000 });
      clock.advanceTo(2400);
      await client.settle();
      clock.advanceTo(3499);
      expect(server.sessions()).toHaveLength(1);
      clock.advanceTo(3500);
      expect(server.sessions()).toEqual([]);
    }));

  it('count from their resumption, with the timeout negotiated then', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 1000 });
      clock.advanceTo(2400);
      await open({ id: client.id, password: client.password, timeout: 3000 });
      expect(server.sessions()).toMatchObject([{ timeout: 3000 }]);
      clock.advanceTo(5499);
      expect(server.sessions()).toHaveLength(1);
      clock.advanceTo(5500);
      expect(server.sessions()).toEqual([]);
    }));

  it('of one tick expire one after the other, each with a zxid for all of its nodes', () =>
    simulate(async ({ clock, open }) => {
      const [other, a, b] = [
        await open({ timeout: 10_000 }),
        await open({ timeout: 1000 }),
        await open({ timeout: 1100 }),
      ];
      await other.call(Op.addWatch, Buffer.concat([str('/'), int(1)]));
      for (const [client, names] of [
        [a, ['a1', 'a2']],
        [b, ['b1', 'b2']],
      ] as const) {
        for (const name of names) await client.call(Op.create, createBody(`/${name}`, { flags: 1 }));
      }
      const { zxid, eventsBefore } = await other.call(Op.sync, str('/'));
      expect(eventsBefore).toHaveLength(4);
      clock.advanceTo(2500);
      const seen = await other.settle();
      expect(seen.map(({ type, path, zxid: at }) => [type, path, at - zxid])).toEqual([
        [2, '/a1', 1n],
        [2, '/a2', 1n],
        [2, '/b1', 2n],
        [2, '/b2', 2n],
      ]);
    }));

  it('have ids and passwords that depend on the clock alone', async () => {
    const ids: bigint[] = [];
    const passwords: Buffer[] = [];
    for (let round = 0; round < 2; round += 1) {
      await simulate(async ({ open }) => {
        const client = await open();
        ids.push(client.id);
        passwords.push(client.password);
      });
    }
    expect(ids[0]).toBe(ids[1]);
    expect(passwords[0]).toEqual(passwords[1]);
  });

  it('do not age while nobody serves, and then have their whole time again', () =>
    simulate(
      async ({ clock, server, open }) => {
        await open({ timeout: 1000 });
        await server.stopMember(0);
        clock.advanceTo(1600);
        await server.stopMember(1);
        clock.advanceTo(60_000);
        expect(server.sessions()).toHaveLength(1);
        await server.startMember(1);
        clock.advanceTo(61_499);
        expect(server.sessions()).toHaveLength(1);
        clock.advanceTo(61_500);
        expect(server.sessions()).toEqual([]);
      },
      { members: 2 },
    ));

  it('age while one member serves', () =>
    simulate(
      async ({ clock, server, open }) => {
        await open({ timeout: 1000 });
        await server.stopMember(0);
        clock.advanceTo(2500);
        expect(server.sessions()).toEqual([]);
      },
      { members: 2 },
    ));
});

describe('pause', () => {
  it('expires nothing; what is overdue goes at resume, before anything is read', () =>
    simulate(async ({ clock, server, open }) => {
      const [short, long] = [await open({ timeout: 1000 }), await open({ timeout: 10_000 })];
      server.pause();
      clock.advanceTo(9000);
      expect(server.sessions()).toHaveLength(2);
      short.send(Op.ping, Buffer.alloc(0), -2);
      server.resume();
      expect(server.sessions().map(({ id }) => id)).toEqual([long.id]);
      await short.ended();
      expect(await long.settle()).toEqual([]);
    }));

  it('of one member lets its sessions age: what they send is not read', () =>
    simulate(
      async ({ clock, server, open }) => {
        const client = await open({ timeout: 1000 }, 1);
        server.pause(1);
        client.send(Op.ping, Buffer.alloc(0), -2);
        clock.advanceTo(2500);
        expect(server.sessions()).toEqual([]);
        await client.ended();
      },
      { members: 2 },
    ));

  it('holds back a delayed request whose time has come', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 10_000 });
      server.intercept(({ type }) => (type === 'create' ? { delay: 100 } : 'pass'));
      client.send(Op.create, createBody('/a'), 1);
      while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
      server.pause();
      clock.advanceTo(2000);
      expect(server.node('/a')).toBeNull();
      server.resume();
      expect(server.node('/a')).not.toBeNull();
      expect(await client.reply()).toMatchObject({ xid: 1, err: 0 });
    }));
});

describe('a delay', () => {
  it('is one of the clock; the session counts from when the request came', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 1000 });
      server.intercept(({ type }) => (type === 'create' ? { delay: 700 } : 'pass'));
      clock.advanceTo(2400);
      client.send(Op.create, createBody('/a'), 1);
      while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
      clock.advanceTo(3099);
      expect(server.node('/a')).toBeNull();
      clock.advanceTo(3100);
      expect(server.node('/a')).not.toBeNull();
      clock.advanceTo(3499);
      expect(server.sessions()).toHaveLength(1);
      clock.advanceTo(3500);
      expect(server.sessions()).toEqual([]);
    }));
});

describe('nodes that go by themselves', () => {
  it('containers that were emptied, at the next check', () =>
    simulate(
      async ({ clock, server, open }) => {
        const client = await open({ timeout: 20_000 });
        await client.call(Op.createContainer, createBody('/c', { flags: 4 }));
        await client.call(Op.createContainer, createBody('/new', { flags: 4 }));
        await client.call(Op.create, createBody('/c/a'));
        clock.advanceTo(5000);
        expect(server.node('/c')).not.toBeNull();
        await client.call(Op.delete, versionBody('/c/a'));
        // Checks come every 1000 ms from the start, which was at 1234.
        clock.advanceTo(5233);
        expect(server.node('/c')).not.toBeNull();
        clock.advanceTo(5234);
        expect(server.node('/c')).toBeNull();
        expect(server.node('/new')).not.toBeNull();
      },
      { containerCheckInterval: 1000 },
    ));

  it('TTL nodes without children, that long after their last change', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open({ timeout: 20_000 });
      await client.call(Op.createTtl, ttlBody('/t', 1000n));
      clock.advanceTo(2000);
      await client.call(Op.setData, setBody('/t', 'x'));
      await client.call(Op.create, createBody('/t/a'));
      clock.advanceTo(5000);
      expect(server.node('/t')).toMatchObject({ kind: 'ttl', ttl: 1000 });
      await client.call(Op.setData, setBody('/t', 'y'));
      await client.call(Op.delete, versionBody('/t/a'));
      clock.advanceTo(6000);
      expect(server.node('/t')).not.toBeNull();
      clock.advanceTo(6500);
      expect(server.node('/t')).toBeNull();
    }));
});

describe('a stream in memory', () => {
  it('is served as a socket is, and its bytes are not kept', () =>
    simulate(async ({ server, open }) => {
      const client = await open();
      const request = Buffer.concat([int(1), int(Op.create), createBody('/a', { data: 'kept' })]);
      const frame = Buffer.concat([int(request.length), request]);
      client.stream.write(frame);
      expect(await client.reply()).toMatchObject({ xid: 1, err: 0 });
      frame.fill(0);
      expect(server.node('/a')?.data?.toString()).toBe('kept');
      expect(server.connections).toBe(1);
    }));

  it('may stand for a socket: connect() leads to the member of a port', () =>
    simulate(
      async ({ server }) => {
        expect(server.connectString).toBe('127.0.0.1:2181,127.0.0.1:2182');
        const socket = server.connect({ port: 2182 });
        await once(socket, 'connect');
        const client = new RawClient(socket);
        expect((await client.handshake())?.timeout).toBe(5000);
        expect(server.members.map(({ connections }) => connections)).toEqual([0, 1]);
        await server.stopMember(1);
        await client.ended();
        const [error] = await once(server.connect({ port: 2182 }), 'error');
        expect(error).toMatchObject({ code: 'ECONNREFUSED' });
      },
      { members: 2 },
    ));

  it('is refused by a member that is stopped', () =>
    simulate(async ({ server }) => {
      await server.stopMember(0);
      const [near, far] = memorySocketPair();
      server.accept(far);
      expect(far.destroyed).toBe(true);
      near.destroy();
    }));

  it('brings times of day from the clock into the Stat', () =>
    simulate(async ({ clock, server, open }) => {
      const client = await open();
      await client.call(Op.create, createBody('/a'));
      const before = server.node('/a')?.stat;
      clock.advanceTo(1334);
      await client.call(Op.setData, setBody('/a', 'x'));
      const after = server.node('/a')?.stat;
      expect(after?.ctime).toBe(before?.ctime);
      expect((after?.mtime ?? 0n) - (before?.mtime ?? 0n)).toBe(100n);
    }));
});
