import { describe, expect, it } from '@jest/globals';
import {
  buf,
  createBody,
  int,
  long,
  multiBody,
  Op,
  pathBody,
  type RawClient,
  setBody,
  str,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

export function sessions(target: GetTarget): void {
  const clients = useClients(target);

  describe('sessions', () => {
    it('end with closeSession: a reply, then the end, and the ephemerals are gone with its zxid', async () => {
      const [client, other] = [await clients.open(), await clients.open()];
      const path = await clients.freshPath(other);
      for (const name of ['a', 'b']) await client.call(Op.create, createBody(`${path}/${name}`, { flags: 1 }));
      await other.call(Op.exists, watchBody(`${path}/a`, true));
      await other.call(Op.exists, watchBody(`${path}/b`, true));
      client.send(Op.closeSession);
      const reply = await client.reply();
      expect(reply).toMatchObject({ err: 0 });
      expect(reply?.body.left).toBe(0);
      expect(await client.frame()).toBeNull();
      const events = [await other.event(), await other.event()];
      expect(events.map(({ type, zxid }) => [type, zxid])).toEqual([2, 2].map((type) => [type, reply?.zxid]));
      expect(await other.err(Op.exists, watchBody(`${path}/a`))).toBe(-101);
      const again = await clients.dial();
      expect(await again.handshake({ id: client.id, password: client.password })).toMatchObject({ timeout: 0 });
    });

    it('do not apply what comes behind closeSession', async () => {
      const [client, other] = [await clients.open(), await clients.open()];
      const path = await clients.freshPath(other);
      const close = Buffer.concat([int(1), int(Op.closeSession)]);
      const write = Buffer.concat([int(2), int(Op.create), createBody(`${path}/a`)]);
      client.sendRaw(Buffer.concat([int(close.length), close, int(write.length), write]));
      await client.ended();
      expect(await other.err(Op.exists, watchBody(`${path}/a`))).toBe(-101);
    });

    it('live on without a connection, and keep their ephemerals', async () => {
      const [client, other] = [await clients.open(), await clients.open()];
      const path = await clients.freshPath(other);
      await client.call(Op.create, createBody(`${path}/a`, { flags: 1 }));
      await client.cut();
      expect(await other.err(Op.exists, watchBody(`${path}/a`))).toBe(0);
      const again = await clients.open({ id: client.id, password: client.password });
      const { body } = await again.call(Op.getEphemerals, str('/'));
      expect(body.strings()).toEqual([`${path}/a`]);
    });

    it('expire when they are silent: not before their timeout, and their ephemerals go', async () => {
      const other = await clients.open({ timeout: 20 * target().tickTime });
      const path = await clients.freshPath(other);
      const client = await clients.open({ timeout: 1 });
      await other.call(Op.addWatch, Buffer.concat([str(path), int(1)]));
      const from = performance.now();
      await client.call(Op.create, createBody(`${path}/a`, { flags: 1 }));
      expect(await other.event()).toMatchObject({ type: 1, path: `${path}/a` });
      expect(await other.event()).toMatchObject({ type: 2, path: `${path}/a` });
      // The server counts in whole milliseconds.
      expect(performance.now() - from).toBeGreaterThan(2 * target().tickTime - 1);
      await client.ended();
      const again = await clients.dial();
      expect(await again.handshake({ id: client.id, password: client.password })).toMatchObject({ timeout: 0 });
    });

    it('are kept alive by pings, and by anything else', async () => {
      const client = await clients.open({ timeout: 1 });
      const until = performance.now() + 5 * target().tickTime;
      let pings = 0;
      while (performance.now() < until) {
        client.send(Op.ping, Buffer.alloc(0), -2);
        expect(await client.reply()).toMatchObject({ xid: -2, err: 0 });
        pings += 1;
        await new Promise((resolve) => setTimeout(resolve, target().tickTime / 2));
      }
      expect(pings).toBeGreaterThan(3);
    });

    it('list their ephemerals, by a prefix of characters', async () => {
      const [client, other] = [await clients.open(), await clients.open()];
      const path = await clients.freshPath(client);
      for (const name of ['a', 'ab', 'c']) await client.call(Op.create, createBody(`${path}/${name}`, { flags: 1 }));
      await other.call(Op.create, createBody(`${path}/x`, { flags: 1 }));
      const list = async (prefix: string | null): Promise<(string | null)[]> =>
        (await client.call(Op.getEphemerals, buf(prefix))).body.strings().sort();
      const [a, ab, c] = [`${path}/a`, `${path}/ab`, `${path}/c`];
      for (const prefix of [null, '', '/', ' / ']) expect(await list(prefix)).toEqual([a, ab, c]);
      expect(await list(a)).toEqual([a, ab]);
      expect(await list('/nowhere')).toEqual([]);
    });
  });

  describe('requests that are none', () => {
    it.each([99, 0, -10 - 1000, Op.check])(
      'opcode %d: -6 with zxid -1, then the end, and the session lives',
      async (opcode) => {
        const client = await clients.open();
        client.send(opcode, opcode === Op.check ? versionBody('/') : Buffer.alloc(0), 5);
        expect(await client.reply()).toMatchObject({ xid: 5, zxid: -1n, err: -6 });
        expect(await client.frame()).toBeNull();
        const again = await clients.open({ id: client.id, password: client.password });
        expect(await again.err(Op.exists, watchBody('/'))).toBe(0);
      },
    );

    it('a frame too short for a header ends the connection', async () => {
      const client = await clients.open();
      client.sendFrame(int(1));
      expect(await client.frame()).toBeNull();
    });

    it('reconfig is switched off', async () => {
      const client = await clients.open();
      const body = Buffer.concat([buf(null), buf(null), buf(null), long(-1n)]);
      expect(await client.err(Op.reconfig, body)).toBe(-123);
      expect(await client.err(Op.exists, watchBody('/'))).toBe(0);
    });
  });
}

/** For servers of several members. */
export function moves(target: GetTarget): void {
  const clients = useClients(target);
  const scene = async (): Promise<{ path: string; old: RawClient; now: RawClient; other: RawClient }> => {
    const other = await clients.open({}, 0);
    const path = await clients.freshPath(other);
    const old = await clients.open({}, 1);
    await old.call(Op.sync, pathBody('/'));
    await old.call(Op.create, createBody(`${path}/e`, { flags: 1 }));
    await old.call(Op.exists, watchBody(path, true));
    const now = await clients.open({ id: old.id, password: old.password }, 2);
    return { path, old, now, other };
  };

  describe('a session that moves to another member', () => {
    it('keeps its ephemerals and leaves its watches behind', async () => {
      const { path, now, old, other } = await scene();
      expect(now.session).toMatchObject({ id: old.id, password: old.password });
      expect((await now.call(Op.getEphemerals, str('/'))).body.strings()).toEqual([`${path}/e`]);
      await other.call(Op.setData, setBody(path, 'x'));
      await now.call(Op.sync, pathBody('/'));
      expect(await now.settle()).toEqual([]);
      expect(await old.event()).toMatchObject({ type: 3, path });
    });

    it.each([
      ['create', (p: string) => [Op.create, createBody(`${p}/a`)] as const],
      ['setData', (p: string) => [Op.setData, setBody(p, 'stale')] as const],
      ['delete', (p: string) => [Op.delete, versionBody(`${p}/e`)] as const],
      ['multi', (p: string) => [Op.multi, multiBody([[Op.create, createBody(`${p}/a`)]])] as const],
    ])('answers reads on the old connection, and ends it without a reply at a %s', async (_what, request) => {
      const { path, old, other, now } = await scene();
      expect(await old.err(Op.exists, watchBody('/'))).toBe(0);
      const [op, body] = request(path);
      old.send(op, body);
      expect(await old.reply()).toBeNull();
      await other.call(Op.sync, pathBody('/'));
      expect(await other.err(Op.exists, watchBody(`${path}/a`))).toBe(-101);
      expect(await other.err(Op.exists, watchBody(`${path}/e`))).toBe(0);
      expect(await now.err(Op.exists, watchBody('/'))).toBe(0);
    });
  });

  describe('the connection that a session has left', () => {
    it('still has sync, and pings, and can end the session', async () => {
      const { path, old, now, other } = await scene();
      expect(await old.err(Op.sync, pathBody(path))).toBe(0);
      expect(await old.settle()).toEqual([]);
      await other.call(Op.exists, watchBody(`${path}/e`, true));
      old.send(Op.closeSession);
      expect(await old.reply()).toMatchObject({ err: 0 });
      expect(await old.frame()).toBeNull();
      expect(await now.frame()).toBeNull();
      expect(await other.event()).toMatchObject({ type: 2, path: `${path}/e` });
    });
  });

  describe('the configuration of an ensemble', () => {
    it('is in /zookeeper/config, with version -1', async () => {
      const client = await clients.open();
      const { err, body } = await client.call(Op.getData, watchBody('/zookeeper/config'));
      expect(err).toBe(0);
      const lines = body.buf()?.toString().split('\n') ?? [];
      expect(
        lines.filter((line) => /^server\.\d+=[^:]+:\d+:\d+:participant;127\.0\.0\.1:\d+$/.test(line)),
      ).toHaveLength(3);
      expect(lines.at(-1)).toMatch(/^version=[0-9a-f]+$/);
      expect(body.stat()).toMatchObject({ version: -1, aversion: -1 });
    });
  });
}
