import { describe, expect, it } from '@jest/globals';
import {
  authBody,
  createBody,
  int,
  multiBody,
  Op,
  type RawClient,
  type RawEvent,
  setBody,
  setWatchesBody,
  str,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

const created = 1;
const deleted = 2;
const changed = 3;
const children = 4;
const connected = 3;

const persistent = 0;
const recursive = 1;

function addWatchBody(path: string, mode: number): Buffer {
  return Buffer.concat([str(path), int(mode)]);
}

function typeBody(path: string | null, type: number): Buffer {
  return Buffer.concat([str(path), int(type)]);
}

/** Type and path of what came since the last reply. */
async function events(client: RawClient): Promise<[number, string | null][]> {
  return (await client.settle()).map(({ type, path }) => [type, path]);
}

export function watches(target: GetTarget): void {
  const clients = useClients(target);
  // A path, somebody who watches and somebody who changes.
  const scene = async (): Promise<{ path: string; watcher: RawClient; writer: RawClient }> => {
    const [watcher, writer] = [await clients.open(), await clients.open()];
    return { path: await clients.freshPath(writer), watcher, writer };
  };

  describe('one-shot watches', () => {
    it('a data watch fires once, with the zxid of the transaction', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      const { zxid } = await writer.call(Op.setData, setBody(path, 'x'));
      const expected: RawEvent = { type: changed, state: connected, path, zxid };
      expect(await watcher.event()).toEqual(expected);
      await writer.call(Op.setData, setBody(path, 'y'));
      expect(await events(watcher)).toEqual([]);
    });

    it('the event is there before any reply that shows the change', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      await writer.call(Op.setData, setBody(path, 'x'));
      const { eventsBefore, body } = await watcher.call(Op.getData, watchBody(path));
      expect(eventsBefore.map(({ type }) => type)).toEqual([changed]);
      expect(body.buf()?.toString()).toBe('x');
    });

    it('the event of an own write comes before its reply', async () => {
      const { path, watcher } = await scene();
      await watcher.call(Op.exists, watchBody(path, true));
      expect((await watcher.call(Op.setData, setBody(path, 'x'))).eventsBefore).toHaveLength(1);
    });

    it('exists on a missing node waits for its creation', async () => {
      const { path, watcher, writer } = await scene();
      expect(await watcher.err(Op.exists, watchBody(`${path}/a`, true))).toBe(-101);
      await writer.call(Op.create, createBody(`${path}/a`));
      expect(await events(watcher)).toEqual([[created, `${path}/a`]]);
    });

    it('getData and getChildren on a missing node watch nothing', async () => {
      const { path, watcher, writer } = await scene();
      for (const op of [Op.getData, Op.getChildren, Op.getChildren2]) {
        expect(await watcher.err(op, watchBody(`${path}/a`, true))).toBe(-101);
      }
      await writer.call(Op.create, createBody(`${path}/a`));
      expect(await events(watcher)).toEqual([]);
    });

    it('a child watch sees children come and go, and the end of the node, but no data', async () => {
      const { path, watcher, writer } = await scene();
      const rearm = () => watcher.call(Op.getChildren2, watchBody(path, true));
      await rearm();
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([]);
      await writer.call(Op.create, createBody(`${path}/a`));
      expect(await events(watcher)).toEqual([[children, path]]);
      await rearm();
      await writer.call(Op.setData, setBody(`${path}/a`, 'x'));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      expect(await events(watcher)).toEqual([[children, path]]);
      await rearm();
      await writer.call(Op.delete, versionBody(path));
      expect(await events(watcher)).toEqual([[deleted, path]]);
    });

    it('two watches on a path are one; data and child watch see one deletion', async () => {
      const { path, watcher, writer } = await scene();
      for (const op of [Op.getData, Op.exists, Op.getChildren]) await watcher.call(op, watchBody(path, true));
      await writer.call(Op.delete, versionBody(path));
      expect(await events(watcher)).toEqual([[deleted, path]]);
    });

    it('a watch lives with its connection: a resumed session has none', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      const { id, password } = watcher;
      const again = await clients.open({ id, password });
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(again)).toEqual([]);
    });

    it('a failed write tells nobody', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      await writer.call(Op.setData, setBody(path, 'x', 9));
      expect(await events(watcher)).toEqual([]);
    });

    it('a multi tells of each of its changes, with one zxid', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      await watcher.call(Op.exists, watchBody(`${path}/a`, true));
      await watcher.call(Op.getChildren, watchBody(path, true));
      const { zxid } = await writer.call(
        Op.multi,
        multiBody([
          [Op.create, createBody(`${path}/a`)],
          [Op.setData, setBody(path, 'x')],
        ]),
      );
      const seen = await watcher.settle();
      expect(seen.map(({ type, path }) => [type, path])).toEqual([
        [created, `${path}/a`],
        [children, path],
        [changed, path],
      ]);
      expect(seen.every((event) => event.zxid === zxid)).toBe(true);
    });
  });

  describe('addWatch', () => {
    it('answers with four bytes of nought, also where no node is', async () => {
      const { path, watcher } = await scene();
      const { err, body } = await watcher.call(Op.addWatch, addWatchBody(`${path}/none`, persistent));
      expect([err, body.left, body.int()]).toEqual([0, 4, 0]);
    });

    it('refuses other modes and stays', async () => {
      const { path, watcher } = await scene();
      for (const mode of [2, -1]) expect(await watcher.err(Op.addWatch, addWatchBody(path, mode))).toBe(-5);
      expect(await watcher.err(Op.exists, watchBody(path))).toBe(0);
    });

    it('persistent: data and children of the node, again and again', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, persistent));
      await writer.call(Op.setData, setBody(path, 'x'));
      await writer.call(Op.setData, setBody(path, 'y'));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.setData, setBody(`${path}/a`, 'x'));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      await writer.call(Op.delete, versionBody(path));
      await writer.call(Op.create, createBody(path));
      expect(await events(watcher)).toEqual([
        [changed, path],
        [changed, path],
        [children, path],
        [children, path],
        [deleted, path],
        [created, path],
      ]);
    });

    it('recursive: the node and all below it, but no children events', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.create, createBody(`${path}/a/b`));
      await writer.call(Op.setData, setBody(`${path}/a/b`, 'x'));
      await writer.call(Op.delete, versionBody(`${path}/a/b`));
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([
        [created, `${path}/a`],
        [created, `${path}/a/b`],
        [changed, `${path}/a/b`],
        [deleted, `${path}/a/b`],
        [changed, path],
      ]);
    });

    it('recursive on the root reaches every node', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody('/', recursive));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      expect(await events(watcher)).toEqual([
        [created, `${path}/a`],
        [deleted, `${path}/a`],
      ]);
      expect(await watcher.err(Op.removeWatches, typeBody('/', 5))).toBe(0);
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([]);
    });

    it('a watch on a node and recursive ones above it bring one event a change', async () => {
      const { path, watcher, writer } = await scene();
      await writer.call(Op.create, createBody(`${path}/a`));
      await watcher.call(Op.addWatch, addWatchBody('/', recursive));
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      await watcher.call(Op.addWatch, addWatchBody(`${path}/a`, persistent));
      await watcher.call(Op.getData, watchBody(`${path}/a`, true));
      await watcher.call(Op.getChildren, watchBody(`${path}/a`, true));
      await writer.call(Op.setData, setBody(`${path}/a`, 'x'));
      await writer.call(Op.setData, setBody(`${path}/a`, 'y'));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      expect(await events(watcher)).toEqual([
        [changed, `${path}/a`],
        [changed, `${path}/a`],
        [deleted, `${path}/a`],
      ]);
    });

    it('does not reach a neighbour whose name begins alike', async () => {
      const { path, watcher, writer } = await scene();
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.create, createBody(`${path}/ab`));
      await watcher.call(Op.addWatch, addWatchBody(`${path}/a`, recursive));
      await writer.call(Op.setData, setBody(`${path}/ab`, 'x'));
      expect(await events(watcher)).toEqual([]);
    });

    it('keeps all modes on one path, with one event a change', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, persistent));
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      await watcher.call(Op.getData, watchBody(path, true));
      await watcher.call(Op.getChildren, watchBody(path, true));
      await writer.call(Op.setData, setBody(path, 'x'));
      await writer.call(Op.setData, setBody(path, 'y'));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      await writer.call(Op.delete, versionBody(path));
      expect(await events(watcher)).toEqual([
        [changed, path],
        [changed, path],
        [created, `${path}/a`],
        [children, path],
        [deleted, `${path}/a`],
        [children, path],
        [deleted, path],
      ]);
    });
  });

  describe('checkWatches and removeWatches', () => {
    const data = 2;
    const child = 1;
    const any = 3;

    it('know one-shot watches by kind', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      expect(await watcher.err(Op.checkWatches, typeBody(path, data))).toBe(0);
      expect(await watcher.err(Op.checkWatches, typeBody(path, any))).toBe(0);
      for (const type of [child, 4, 5]) {
        expect(await watcher.err(Op.checkWatches, typeBody(path, type))).toBe(-121);
        expect(await watcher.err(Op.removeWatches, typeBody(path, type))).toBe(-121);
      }
      expect(await watcher.err(Op.removeWatches, typeBody(path, data))).toBe(0);
      expect(await watcher.err(Op.removeWatches, typeBody(path, data))).toBe(-121);
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([]);
    });

    it('know persistent watches by kind', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, persistent));
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      expect(await watcher.err(Op.removeWatches, typeBody(path, child))).toBe(-121);
      expect(await watcher.err(Op.removeWatches, typeBody(path, data))).toBe(-121);
      expect(await watcher.err(Op.removeWatches, typeBody(path, 4))).toBe(0);
      expect(await watcher.err(Op.checkWatches, typeBody(path, 4))).toBe(-121);
      expect(await watcher.err(Op.checkWatches, typeBody(path, 5))).toBe(0);
      await writer.call(Op.create, createBody(`${path}/a`));
      expect(await events(watcher)).toEqual([[created, `${path}/a`]]);
      expect(await watcher.err(Op.removeWatches, typeBody(path, any))).toBe(0);
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([]);
    });

    it('take one kind from a path and leave the others', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, persistent));
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      await watcher.call(Op.getData, watchBody(path, true));
      await watcher.call(Op.getChildren, watchBody(path, true));
      for (const [type, left] of [
        [data, [child, 4, 5]],
        [child, [4, 5]],
        [5, [4]],
      ] as const) {
        expect(await watcher.err(Op.removeWatches, typeBody(path, type))).toBe(0);
        for (const other of [child, data, 4, 5]) {
          const err = await watcher.err(Op.checkWatches, typeBody(path, other));
          expect([type, other, err]).toEqual([type, other, (left as readonly number[]).includes(other) ? 0 : -121]);
        }
      }
      await writer.call(Op.setData, setBody(path, 'x'));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.create, createBody(`${path}/a/b`));
      expect(await events(watcher)).toEqual([
        [changed, path],
        [children, path],
      ]);
    });

    it('"any" takes all of a path', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.addWatch, addWatchBody(path, persistent));
      await watcher.call(Op.addWatch, addWatchBody(path, recursive));
      await watcher.call(Op.getData, watchBody(path, true));
      await watcher.call(Op.getChildren, watchBody(path, true));
      expect(await watcher.err(Op.removeWatches, typeBody(path, any))).toBe(0);
      expect(await watcher.err(Op.checkWatches, typeBody(path, any))).toBe(-121);
      await writer.call(Op.setData, setBody(path, 'x'));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.delete, versionBody(`${path}/a`));
      expect(await events(watcher)).toEqual([]);
    });

    it('refuse other types and stay', async () => {
      const { path, watcher } = await scene();
      for (const type of [0, 6, -1]) {
        expect(await watcher.err(Op.checkWatches, typeBody(path, type))).toBe(-5);
        expect(await watcher.err(Op.removeWatches, typeBody(path, type))).toBe(-5);
      }
      expect(await watcher.err(Op.exists, watchBody(path))).toBe(0);
    });

    it('do not see the watches of another connection', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      expect(await writer.err(Op.removeWatches, typeBody(path, any))).toBe(-121);
      await writer.call(Op.setData, setBody(path, 'x'));
      expect(await events(watcher)).toEqual([[changed, path]]);
    });
  });

  describe('setWatches', () => {
    it('tells what was missed before its reply, and arms the rest', async () => {
      const { path, watcher, writer } = await scene();
      for (const name of ['same', 'changed', 'grown']) await writer.call(Op.create, createBody(`${path}/${name}`));
      const since = (await writer.call(Op.exists, watchBody('/'))).zxid;
      await writer.call(Op.setData, setBody(`${path}/changed`, 'x'));
      await writer.call(Op.create, createBody(`${path}/grown/a`));
      watcher.send(
        Op.setWatches,
        setWatchesBody(
          since,
          ['same', 'changed', 'gone', 'grown'].map((name) => `${path}/${name}`),
          ['same', 'gone2'].map((name) => `${path}/${name}`),
          ['same', 'grown', 'gone', 'changed'].map((name) => `${path}/${name}`),
        ),
        -8,
      );
      const reply = await watcher.reply();
      expect(reply).toMatchObject({ xid: -8, err: 0 });
      expect(reply?.body.left).toBe(0);
      expect(reply?.eventsBefore).toEqual(
        [
          [changed, 'changed'],
          [deleted, 'gone'],
          [created, 'same'],
          [children, 'grown'],
          [deleted, 'gone'],
        ].map(([type, name]) => ({ type, state: connected, path: `${path}/${name}`, zxid: -1n })),
      );
      await writer.call(Op.setData, setBody(`${path}/same`, 'x'));
      await writer.call(Op.create, createBody(`${path}/same/a`));
      await writer.call(Op.create, createBody(`${path}/gone2`));
      await writer.call(Op.create, createBody(`${path}/changed/a`));
      await writer.call(Op.setData, setBody(`${path}/changed`, 'y'));
      await writer.call(Op.create, createBody(`${path}/gone`));
      expect(await events(watcher)).toEqual([
        [changed, `${path}/same`],
        [children, `${path}/same`],
        [created, `${path}/gone2`],
        [children, `${path}/changed`],
      ]);
    });

    it('setWatches2 arms persistent watches without a word of what was missed', async () => {
      const { path, watcher, writer } = await scene();
      await writer.call(Op.setData, setBody(path, 'x'));
      watcher.send(Op.setWatches2, setWatchesBody(0n, [], [], [], [path], [`${path}/deep`]), -8);
      expect(await watcher.reply()).toMatchObject({ xid: -8, err: 0, eventsBefore: [] });
      await writer.call(Op.create, createBody(`${path}/deep`));
      await writer.call(Op.create, createBody(`${path}/deep/a`));
      await writer.call(Op.setData, setBody(path, 'y'));
      expect(await events(watcher)).toEqual([
        [created, `${path}/deep`],
        [children, path],
        [created, `${path}/deep/a`],
        [changed, path],
      ]);
    });

    it('setWatches2 tells one-shot watches what they missed, and arms persistent ones beside them', async () => {
      const { path, watcher, writer } = await scene();
      const since = (await writer.call(Op.exists, watchBody('/'))).zxid;
      await writer.call(Op.setData, setBody(path, 'x'));
      watcher.send(Op.setWatches2, setWatchesBody(since, [path], [], [path], [path], [path]), -8);
      const reply = await watcher.reply();
      expect(reply).toMatchObject({ xid: -8, err: 0, eventsBefore: [{ type: changed, path }] });
      expect(reply?.eventsBefore).toHaveLength(1);
      await writer.call(Op.setData, setBody(path, 'y'));
      await writer.call(Op.create, createBody(`${path}/a`));
      await writer.call(Op.create, createBody(`${path}/a/b`));
      expect(await events(watcher)).toEqual([
        [changed, path],
        [created, `${path}/a`],
        [children, path],
        [created, `${path}/a/b`],
      ]);
    });

    it('refuses null lists and stays', async () => {
      const { watcher } = await scene();
      for (const lists of [
        [null, [], []],
        [[], null, []],
        [[], [], null],
      ]) {
        watcher.send(Op.setWatches, setWatchesBody(0n, ...lists), -8);
        expect(await watcher.reply()).toMatchObject({ xid: -8, err: -5 });
      }
    });
  });

  describe('watches and ACLs', () => {
    it('an event needs READ on the node, and uses the watch up without it', async () => {
      const { path, watcher, writer } = await scene();
      await writer.call(Op.auth, authBody('digest', 'u:p'));
      const hidden = [{ perms: 31, scheme: 'auth', id: '' }];
      expect(await watcher.err(Op.exists, watchBody(`${path}/h`, true))).toBe(-101);
      await watcher.call(Op.getChildren, watchBody(path, true));
      await writer.call(Op.create, createBody(`${path}/h`, { acl: hidden }));
      expect(await events(watcher)).toEqual([[children, path]]);
      expect(await watcher.err(Op.exists, watchBody(`${path}/h`, true))).toBe(-102);
      expect(await watcher.err(Op.checkWatches, typeBody(`${path}/h`, 3))).toBe(-121);
      await watcher.call(Op.addWatch, addWatchBody(`${path}/h`, persistent));
      await writer.call(Op.setData, setBody(`${path}/h`, 'x'));
      await writer.call(Op.delete, versionBody(`${path}/h`));
      expect(await events(watcher)).toEqual([]);
    });
  });
}
