import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ObservedRequest,
  type ProfileName,
  type ServerLogEntry,
  TestServer,
  type TestServerOptions,
  type Verdict,
} from '../src/index.ts';
import {
  createBody,
  multiBody,
  Op,
  pathBody,
  RawClient,
  type RawHandshake,
  setBody,
  str,
  until,
  versionBody,
  watchBody,
} from './raw-client.ts';

const servers: TestServer[] = [];
const clients: RawClient[] = [];

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  servers.push(server);
  return server;
}

async function dial(server: TestServer, member = 0): Promise<RawClient> {
  const client = await RawClient.dial(server.members[member]?.connectString ?? '');
  clients.push(client);
  return client;
}

async function open(server: TestServer, handshake: RawHandshake = {}, member = 0): Promise<RawClient> {
  const client = await dial(server, member);
  await client.handshake(handshake);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.cut()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('members', () => {
  it('have ports of their own and one tree', async () => {
    const server = await start({ members: 3 });
    expect(server.connectString).toBe(server.members.map(({ port }) => `127.0.0.1:${port}`).join(','));
    expect(new Set(server.members.map(({ port }) => port)).size).toBe(3);
    const [a, c] = [await open(server, {}, 0), await open(server, {}, 2)];
    await a.call(Op.create, createBody('/a', { data: 'x' }));
    expect((await c.call(Op.getData, watchBody('/a'))).body.buf()?.toString()).toBe('x');
    expect(server.members.map(({ connections }) => connections)).toEqual([1, 0, 1]);
    expect(server.connections).toBe(2);
  });

  it('say in the session id which of them made it, by a signed number', async () => {
    const server = await start({ members: 2, serverId: 255 });
    const [a, b] = [await open(server, {}, 0), await open(server, {}, 1)];
    expect(BigInt.asUintN(64, a.id) >> 56n).toBe(255n);
    expect(a.id).toBeLessThan(0n);
    expect(BigInt.asUintN(64, b.id) >> 56n).toBe(0n);
    await b.call(Op.create, createBody('/b', { flags: 1 }));
    await a.call(Op.create, createBody('/a', { flags: 1 }));
    expect((await b.call(Op.exists, watchBody('/a'))).body.stat().ephemeralOwner).toBe(a.id);
  });

  it('come back on their port, and the sessions have lived on', async () => {
    const server = await start({ members: 2 });
    const client = await open(server, {}, 1);
    await client.call(Op.create, createBody('/e', { flags: 1 }));
    const before = server.members;
    await server.stopMember(1);
    await client.ended();
    expect(server.members.map(({ running }) => running)).toEqual([true, false]);
    await expect(RawClient.dial(before[1]?.connectString ?? '')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect((await open(server, { id: client.id, password: client.password }, 0)).session?.timeout).toBe(5000);
    await server.startMember(1);
    expect(server.members.map(({ port }) => port)).toEqual(before.map(({ port }) => port));
    const again = await open(server, { id: client.id, password: client.password }, 1);
    expect((await again.call(Op.getEphemerals, str('/'))).body.strings()).toEqual(['/e']);
  });

  it('take the ports that they are told', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', () => resolve()));
    const { port } = probe.address() as AddressInfo;
    await expect(TestServer.start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => probe.close(resolve));
    expect((await start({ port })).connectString).toBe(`127.0.0.1:${port}`);
  });

  it('are none that do not exist', async () => {
    const server = await start();
    await expect(server.stopMember(1)).rejects.toThrow(RangeError);
    expect(() => server.pause(-1)).toThrow(RangeError);
  });
});

describe('stop', () => {
  it('cuts everybody off, closes the ports, and may come twice', async () => {
    const server = await TestServer.start({ members: 2 });
    const [a, b] = [await open(server, {}, 0), await dial(server, 1)];
    server.pause(1);
    const { connectString } = server.members[0] ?? { connectString: '' };
    await server.stop();
    await Promise.all([a.ended(), b.ended()]);
    expect(server.connections).toBe(0);
    await expect(RawClient.dial(connectString)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.stop();
  });

  it('is what a disposed server does', async () => {
    let connectString = '';
    {
      await using server = await TestServer.start();
      connectString = server.connectString;
      expect((await open(server)).session?.timeout).toBe(5000);
    }
    await expect(RawClient.dial(connectString)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('connections and sessions', () => {
  it('dropConnections cuts all, or those of one member', async () => {
    const server = await start({ members: 2 });
    const [a, b] = [await open(server, {}, 0), await open(server, {}, 1)];
    server.dropConnections(1);
    await b.ended();
    expect(await a.err(Op.exists, watchBody('/'))).toBe(0);
    server.dropConnections();
    await a.ended();
    expect(server.sessions()).toHaveLength(2);
    expect((await open(server, { id: a.id, password: a.password })).id).toBe(a.id);
  });

  it('expireSession ends a session at once, everywhere', async () => {
    const server = await start({ members: 3 });
    const [other, old] = [await open(server, {}, 0), await open(server, {}, 1)];
    await old.call(Op.create, createBody('/e', { flags: 1 }));
    await other.call(Op.exists, watchBody('/e', true));
    const now = await open(server, { id: old.id, password: old.password }, 2);
    server.expireSession(old.id);
    await Promise.all([old.ended(), now.ended()]);
    expect(await other.event()).toMatchObject({ type: 2, path: '/e' });
    const again = await dial(server, 1);
    expect(await again.handshake({ id: old.id, password: old.password })).toMatchObject({ timeout: 0 });
    server.expireSession(old.id);
    expect(server.sessions().map(({ id }) => id)).toEqual([other.id]);
  });

  it('a moved session ends for both of its connections, a closed one too', async () => {
    const server = await start({ members: 2 });
    const old = await open(server, {}, 0);
    const now = await open(server, { id: old.id, password: old.password }, 1);
    now.send(Op.closeSession);
    expect(await now.reply()).toMatchObject({ err: 0 });
    await old.ended();
    expect(server.sessions()).toEqual([]);
  });
});

describe('pause', () => {
  it('leaves requests and handshakes waiting, and answers them after resume', async () => {
    const server = await start();
    const client = await open(server);
    server.pause();
    client.send(Op.create, createBody('/a'));
    const late = await dial(server);
    const handshake = late.handshake();
    await until(() => server.connections === 2);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(server.node('/a')).toBeNull();
    expect(late.session).toBeNull();
    server.resume();
    expect(await client.reply()).toMatchObject({ err: 0 });
    expect((await handshake)?.timeout).toBe(5000);
  });

  it('of one member leaves the others alone', async () => {
    const server = await start({ members: 2 });
    const [a, b] = [await open(server, {}, 0), await open(server, {}, 1)];
    server.pause(0);
    a.send(Op.setData, setBody('/', 'from a'));
    await b.call(Op.setData, setBody('/', 'from b'));
    expect(server.node('/')?.data?.toString()).toBe('from b');
    server.resume(0);
    expect(await a.reply()).toMatchObject({ err: 0 });
    expect(server.node('/')?.data?.toString()).toBe('from a');
  });
});

describe('intercept', () => {
  // Applies a verdict to every create2, and tells what became of one.
  async function tryVerdict(verdict: Verdict): Promise<{ server: TestServer; client: RawClient; take: () => void }> {
    const server = await start();
    const client = await open(server);
    const take = server.intercept(({ type }) => (type === 'create' ? verdict : 'pass'));
    client.send(Op.create2, createBody('/a'), 1);
    return { server, client, take };
  }

  it('drop-request: nothing is applied, nothing answered, the connection stays', async () => {
    const { server, client } = await tryVerdict('drop-request');
    expect(await client.settle()).toEqual([]);
    expect(server.node('/a')).toBeNull();
  });

  it('drop-reply: applied, not answered, the connection stays', async () => {
    const { server, client } = await tryVerdict('drop-reply');
    expect(await client.settle()).toEqual([]);
    expect(server.node('/a')).not.toBeNull();
  });

  it('disconnect-before: cut, not applied', async () => {
    const { server, client } = await tryVerdict('disconnect-before');
    expect(await client.frame()).toBeNull();
    expect(server.node('/a')).toBeNull();
    expect(server.sessions()).toHaveLength(1);
  });

  it('disconnect-after: applied, then cut without a reply', async () => {
    const { server, client } = await tryVerdict('disconnect-after');
    expect(await client.frame()).toBeNull();
    expect(server.node('/a')).not.toBeNull();
  });

  it('error: the reply carries it, and nothing is applied', async () => {
    const { server, client } = await tryVerdict({ error: -127 });
    const reply = await client.reply();
    expect(reply).toMatchObject({ xid: 1, err: -127 });
    expect(reply?.body.left).toBe(0);
    expect(server.node('/a')).toBeNull();
  });

  it('delay: it and what is behind it wait, in order', async () => {
    const { server, client } = await tryVerdict({ delay: 60 });
    const from = performance.now();
    client.send(Op.exists, watchBody('/a'), 2);
    expect(await client.reply()).toMatchObject({ xid: 1, err: 0 });
    expect(performance.now() - from).toBeGreaterThan(50);
    expect(await client.reply()).toMatchObject({ xid: 2, err: 0 });
    expect(server.node('/a')).not.toBeNull();
  });

  it('a delayed request of a connection that is cut is not applied', async () => {
    const { server, client } = await tryVerdict({ delay: 60_000 });
    await until(() => server.connections === 1);
    await client.cut();
    await until(() => server.connections === 0);
    expect(server.node('/a')).toBeNull();
  });

  it('a promise: it and what is behind it wait for the verdict', async () => {
    const server = await start();
    const [client, other] = [await open(server), await open(server)];
    let decide: (verdict: Verdict | undefined) => void = () => {};
    server.intercept(({ type }) =>
      type === 'create' ? new Promise<Verdict | undefined>((resolve) => (decide = resolve)) : 'pass',
    );
    for (const verdict of [undefined, 'drop-request', { error: -125 }] as const) {
      client.send(Op.create, createBody('/a'), 1);
      client.send(Op.exists, watchBody('/'), 2);
      await until(() => server.connections === 2);
      expect(await other.settle()).toEqual([]);
      expect(server.node('/a')).toBeNull();
      decide(verdict);
      const reply = await client.reply();
      expect(reply).toMatchObject(verdict === 'drop-request' ? { xid: 2 } : { xid: 1, err: verdict?.error ?? 0 });
      if (verdict !== 'drop-request') expect(await client.reply()).toMatchObject({ xid: 2 });
      if (verdict === undefined) {
        expect(server.node('/a')).not.toBeNull();
        await other.call(Op.delete, versionBody('/a'));
      }
    }
  });

  it('may end the session itself: the request is not applied', async () => {
    const server = await start();
    const client = await open(server);
    server.intercept(({ type, sessionId }) => {
      if (type === 'exists') server.expireSession(sessionId);
      if (type === 'create') server.dropConnections();
      return 'pass';
    });
    client.send(Op.create, createBody('/a'));
    expect(await client.frame()).toBeNull();
    expect(server.dump()).toEqual({});
    const again = await open(server, { id: client.id, password: client.password });
    again.send(Op.exists, watchBody('/a', true));
    expect(await again.frame()).toBeNull();
    expect([server.sessions(), server.watches()]).toEqual([[], []]);
  });

  it('is over once it is taken back', async () => {
    const { server, client, take } = await tryVerdict('drop-request');
    await client.settle();
    take();
    expect(await client.err(Op.create2, createBody('/a'))).toBe(0);
    expect(server.node('/a')).not.toBeNull();
  });

  it('asks all, and takes the first verdict that is one', async () => {
    const server = await start();
    const client = await open(server);
    const asked: string[] = [];
    for (const [name, verdict] of [
      ['a', undefined],
      ['b', 'pass'],
      ['c', { error: -101 }],
      ['d', { error: -102 }],
    ] as const) {
      server.intercept(({ path }) => {
        if (path !== '/x') return 'pass';
        asked.push(name);
        return verdict;
      });
    }
    expect(await client.err(Op.exists, watchBody('/x'))).toBe(-101);
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('sees name, path, session and member of every request', async () => {
    const server = await start({ members: 2 });
    const seen: ObservedRequest[] = [];
    server.intercept((request) => {
      seen.push(request);
      return 'pass';
    });
    const client = await open(server, {}, 1);
    await client.call(Op.getChildren2, watchBody('/'));
    await client.call(
      Op.multi,
      multiBody([
        [Op.create2, createBody('/a')],
        [Op.check, versionBody('/b')],
      ]),
    );
    await client.settle();
    client.send(77, pathBody('/x'));
    await client.ended();
    const from = { sessionId: client.id, member: 1, operations: [] };
    expect(seen).toEqual([
      { ...from, type: 'connect', wireType: 'connect', opcode: -10, path: null, sessionId: 0n },
      { ...from, type: 'getChildren', wireType: 'getChildren2', opcode: 12, path: '/' },
      {
        ...from,
        type: 'multi',
        wireType: 'multi',
        opcode: 14,
        path: null,
        operations: [
          { type: 'create', wireType: 'create2', opcode: 15, path: '/a' },
          { type: 'check', wireType: 'check', opcode: 13, path: '/b' },
        ],
      },
      { ...from, type: 'ping', wireType: 'ping', opcode: 11, path: null },
      { ...from, type: 'opcode 77', wireType: 'opcode 77', opcode: 77, path: null },
    ]);
  });

  it.each([
    ['create', 'create', Op.create],
    ['create', 'create2', Op.create2],
    ['create', 'createContainer', Op.createContainer],
    ['create', 'createTTL', Op.createTtl],
    ['getChildren', 'getChildren', Op.getChildren],
    ['getChildren', 'getChildren2', Op.getChildren2],
    ['getData', 'getData', Op.getData],
  ])('type %p is the request %p', async (type, wireType, opcode) => {
    const server = await start();
    const client = await open(server);
    const seen: ObservedRequest[] = [];
    server.intercept((request) => {
      seen.push(request);
      return { error: 'NO_AUTH' };
    });
    expect(await client.err(opcode, pathBody('/a'))).toBe(-102);
    expect(seen).toMatchObject([{ type, wireType, opcode, path: '/a' }]);
  });

  it('error takes the names of the codes too', async () => {
    const { server, client, take } = await tryVerdict({ error: 'NO_NODE' });
    expect(await client.reply()).toMatchObject({ xid: 1, err: -101 });
    take();
    server.intercept(() => ({ error: 'BAD_VERSION' }));
    expect(await client.err(Op.exists, watchBody('/'))).toBe(-103);
  });

  const wrong: [name: string, verdict: unknown, says: RegExp][] = [
    ['a word that is none', 'dropreply', /decided 'dropreply': a verdict is undefined, 'pass', 'drop-request'/],
    ['null', null, /decided null/],
    ['an empty object', {}, /decided \{\}/],
    ['a number', -101, /decided -101/],
    ['a delay that is none', { delay: Number.NaN }, /decided \{ delay: NaN \}/],
    ['an error name that is none', { error: 'NONODE' }, /error: 'NONODE' .* such as 'NO_NODE'/],
    ['an error that is none', { error: 0 }, /error: 0 /],
    ['a name that every object has', { error: 'toString' }, /error: 'toString' /],
    ['a fraction for an error', { error: 1.5 }, /error: 1\.5 /],
  ];
  describe.each(wrong)('%s for a verdict', (_, verdict, says) => {
    it.each([
      ['at once', (): Verdict => verdict as Verdict],
      ['by a promise', (): Promise<Verdict> => Promise.resolve(verdict as Verdict)],
    ])('%s: SYSTEM_ERROR for the request, and stop() rejects', async (_when, interceptor) => {
      const server = await TestServer.start();
      const client = await open(server);
      const take = server.intercept(interceptor);
      expect(await client.err(Op.create, createBody('/a'))).toBe(-1);
      expect(server.node('/a')).toBeNull();
      take();
      expect(await client.err(Op.create, createBody('/a'))).toBe(0);
      const stopped = server.stop();
      await expect(stopped).rejects.toThrow(TypeError);
      await expect(stopped).rejects.toThrow(says);
      expect(server.connections).toBe(0);
      await server.stop();
    });
  });

  it.each([
    [
      'throws',
      (error: Error): Verdict => {
        throw error;
      },
    ],
    ['rejects', (error: Error): Promise<Verdict> => Promise.reject(error)],
  ])(
    'of an interceptor that %s: SYSTEM_ERROR for the request, and stop() rejects with the first error',
    async (_, fail) => {
      const server = await TestServer.start();
      const client = await open(server);
      const errors = [new Error('first'), new Error('second')];
      let asked = 0;
      server.intercept(() => fail(errors[asked++]!));
      expect(await client.err(Op.create, createBody('/a'))).toBe(-1);
      expect(await client.err(Op.exists, watchBody('/'))).toBe(-1);
      expect(server.node('/a')).toBeNull();
      await expect(server.stop()).rejects.toBe(errors[0]);
      expect(asked).toBe(2);
      await server.stop();
    },
  );

  describe('of handshakes', () => {
    const handshake = async (verdict: Verdict): Promise<{ server: TestServer; client: RawClient }> => {
      const server = await start();
      server.intercept(({ type }) => (type === 'connect' ? verdict : 'pass'));
      return { server, client: await dial(server) };
    };

    it('error -112 says that the session is gone', async () => {
      const { client } = await handshake({ error: -112 });
      expect(await client.handshake()).toMatchObject({ bytes: 37, timeout: 0, id: 0n });
      expect(await client.frame()).toBeNull();
    });

    it('another error comes as a header of 16 bytes, as from a read-only server', async () => {
      const { server, client } = await handshake({ error: -119 });
      client.sendFrame(Buffer.concat([Buffer.alloc(24), Buffer.from([0, 0, 0, 16]), Buffer.alloc(17)]));
      expect(await client.reply()).toMatchObject({ xid: 0, err: -119 });
      expect(server.sessions()).toEqual([]);
    });

    it('disconnect-after leaves a session that nobody knows of', async () => {
      const { server, client } = await handshake('disconnect-after');
      expect(await client.handshake()).toBeNull();
      expect(server.sessions()).toHaveLength(1);
    });

    it('disconnect-before leaves none', async () => {
      const { server, client } = await handshake('disconnect-before');
      expect(await client.handshake()).toBeNull();
      expect(server.sessions()).toEqual([]);
    });

    it('delay holds it up', async () => {
      const { client } = await handshake({ delay: 50 });
      const from = performance.now();
      expect((await client.handshake())?.timeout).toBe(5000);
      expect(performance.now() - from).toBeGreaterThan(40);
    });
  });
});

describe('inspection', () => {
  it('shows sessions, nodes and the tree', async () => {
    const server = await start();
    const client = await open(server, { timeout: 4000 });
    await client.call(Op.create, createBody('/b', { data: 'two' }));
    await client.call(Op.create, createBody('/b/e', { flags: 1, data: null }));
    await client.call(Op.createContainer, createBody('/a', { flags: 4, data: 'one' }));
    const session = { id: client.id, timeout: 4000, member: 0, connected: true, ephemerals: ['/b/e'] };
    expect(server.sessions()).toEqual([session]);
    expect(server.dump()).toEqual({ '/a': 'one', '/b': 'two', '/b/e': null });
    expect(Object.keys(server.dump())).toEqual(['/a', '/b', '/b/e']);
    expect(server.dump('/b')).toEqual({ '/b': 'two', '/b/e': null });
    expect(server.node('/b')).toMatchObject({
      path: '/b',
      data: Buffer.from('two'),
      acl: [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }],
      stat: { version: 0, numChildren: 1, dataLength: 3 },
      kind: 'persistent',
      ttl: 0,
      children: ['e'],
    });
    expect(server.node('/b/e')).toMatchObject({ kind: 'ephemeral', stat: { ephemeralOwner: client.id } });
    expect(server.node('/a')?.kind).toBe('container');
    expect(server.node('/none')).toBeNull();
    await client.cut();
    await until(() => server.connections === 0);
    expect(server.sessions()).toEqual([{ ...session, connected: false }]);
  });

  it('shows watches by kind, until they fire or their connection goes', async () => {
    const server = await start();
    const client = await open(server);
    await client.call(Op.exists, watchBody('/a', true));
    await client.call(Op.getData, watchBody('/', true));
    await client.call(Op.getChildren, watchBody('/', true));
    await client.call(Op.addWatch, Buffer.concat([str('/p'), Buffer.from([0, 0, 0, 0])]));
    await client.call(Op.addWatch, Buffer.concat([str('/r'), Buffer.from([0, 0, 0, 1])]));
    const kinds = (): string[] => server.watches().map(({ kind, path }) => `${kind} ${path}`);
    expect(kinds().sort()).toEqual(['child /', 'data /', 'exist /a', 'persistent /p', 'recursive /r']);
    expect(server.watches('/a')).toEqual([{ path: '/a', kind: 'exist', sessionId: client.id }]);
    await client.call(Op.create, createBody('/a'));
    expect(kinds().sort()).toEqual(['data /', 'persistent /p', 'recursive /r']);
    await client.cut();
    await until(() => server.connections === 0);
    expect(kinds()).toEqual([]);
  });

  it('tells listeners what happens, in order', async () => {
    const server = await start();
    const entries: ServerLogEntry[] = [];
    const take = server.onLog((entry) => entries.push(entry));
    const client = await open(server);
    await client.call(Op.exists, watchBody('/a', true));
    await client.call(Op.create, createBody('/a'));
    await client.close();
    await until(() => server.connections === 0);
    take();
    await open(server);
    expect(
      entries.map(({ event, type, path, err }) => [event, type, path, err].filter((x) => x !== undefined)),
    ).toEqual([
      ['connection'],
      ['session'],
      ['request', 'exists', '/a'],
      ['reply', 'exists', -101],
      ['request', 'create', '/a'],
      ['watch-event', 'created', '/a'],
      ['reply', 'create', 0],
      ['request', 'closeSession', null],
      ['session-closed'],
      ['reply', 'closeSession', 0],
      ['disconnection'],
    ]);
    expect(entries.every(({ member, at }) => member === 0 && at > 0)).toBe(true);
  });
});

describe('setConfig', () => {
  it('changes /zookeeper/config and tells those who watch it', async () => {
    const server = await start({ members: 2 });
    const client = await open(server);
    await client.call(Op.getData, watchBody('/zookeeper/config', true));
    server.setConfig('server.1=a:1:2:participant;a:3\nversion=100000001');
    const event = await client.event();
    expect(event).toMatchObject({ type: 3, path: '/zookeeper/config' });
    const { body } = await client.call(Op.getData, watchBody('/zookeeper/config'));
    expect(body.buf()?.toString()).toMatch(/^server\.1=a:1:2/);
    expect(body.stat()).toMatchObject({ version: -1, mzxid: event.zxid });
  });
});

describe('setCreateCount', () => {
  const sequential = async (client: RawClient, name: string): Promise<string | number | null> => {
    const { err, body } = await client.call(Op.create, createBody(`/q/${name}`, { flags: 2 }));
    return err === 0 ? body.str() : err;
  };

  it('shows how 3.9 stays at the last number', async () => {
    const server = await start();
    const client = await open(server);
    await client.call(Op.create, createBody('/q'));
    server.setCreateCount('/q', 2 ** 31 - 2);
    expect(await sequential(client, 'a-')).toBe('/q/a-2147483646');
    const multi = await client.call(
      Op.multi,
      multiBody([
        [Op.create, createBody('/q/m-', { flags: 2 })],
        [Op.create, createBody('/q/m-', { flags: 2 })],
        [Op.create, createBody('/q/m-', { flags: 2 })],
      ]),
    );
    expect(multi.err).toBe(0);
    expect(Object.keys(server.dump('/q')).sort()).toEqual([
      '/q',
      '/q/a-2147483646',
      '/q/m--2147483647',
      '/q/m--2147483648',
      '/q/m-2147483647',
    ]);
    expect(await sequential(client, 'a-')).toBe('/q/a-2147483647');
    expect(await sequential(client, 'a-')).toBe(-110);
    expect(await sequential(client, 'b-')).toBe('/q/b-2147483647');
  });

  it('shows how 3.5 goes on below zero', async () => {
    const server = await start({ profile: '3.5' });
    const client = await open(server);
    await client.call(Op.create, createBody('/q'));
    server.setCreateCount('/q', 2 ** 31 - 1);
    expect(await sequential(client, 'a-')).toBe('/q/a-2147483647');
    expect(await sequential(client, 'a-')).toBe('/q/a--2147483648');
    server.setCreateCount('/q', -4);
    expect(await sequential(client, 'a-')).toBe('/q/a--000000004');
  });
});

describe('options', () => {
  it('session timeouts may be narrowed', async () => {
    const server = await start({ minSessionTimeout: 100, maxSessionTimeout: 200 });
    expect((await open(server, { timeout: 1 })).session?.timeout).toBe(100);
    expect((await open(server, { timeout: 60_000 })).session?.timeout).toBe(200);
  });

  it('maxRequestBytes is the largest frame', async () => {
    const server = await start({ maxRequestBytes: 100 });
    const client = await open(server);
    await client.call(
      Op.setData,
      Buffer.concat([str('/'), str('x'.repeat(100 - 8 - 5 - 4 - 4)), Buffer.alloc(4, 255)]),
    );
    client.send(Op.setData, Buffer.concat([str('/'), str('x'.repeat(101 - 8 - 5 - 4 - 4)), Buffer.alloc(4, 255)]));
    expect(await client.frame()).toBeNull();
  });

  it('without ttlNodes they are unimplemented, and the connection stays', async () => {
    const server = await start({ ttlNodes: false });
    const client = await open(server);
    expect(await client.err(Op.createTtl, Buffer.concat([createBody('/t', { flags: 5 }), Buffer.alloc(8, 1)]))).toBe(
      -6,
    );
    expect(await client.err(Op.create, createBody('/t', { flags: 5 }))).toBe(-6);
    expect(await client.err(Op.exists, watchBody('/'))).toBe(0);
  });
});

describe('start', () => {
  it.each([0, -1, 1.5, Number.NaN])('refuses %p members', async (members) => {
    const started = TestServer.start({ members });
    await expect(started).rejects.toThrow(RangeError);
    await expect(started).rejects.toThrow(`members must be a whole number from 1 on, not ${members}`);
  });

  it.each(['bogus', 'toString', null])('refuses %p for a profile, and says which there are', async (profile) => {
    const started = TestServer.start({ profile: profile as ProfileName });
    await expect(started).rejects.toThrow(TypeError);
    await expect(started).rejects.toThrow(
      `no profile '${profile}': there are 3.4, 3.5, 3.6, 3.7, 3.8, 3.9, clickhouse-keeper`,
    );
  });
});
