import { describe, expect, it } from '@jest/globals';
import {
  authBody,
  createBody,
  int,
  multiBody,
  Op,
  pathBody,
  type RawClient,
  setBody,
  setWatchesBody,
  str,
  ttlBody,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

type Release = '3.4' | '3.5' | '3.6' | '3.7' | '3.8' | '3.9';

const persistent = int(0);
const recursive = int(1);

/** What a client can see of the difference between releases. */
export function versions(release: Release, target: GetTarget): void {
  const since = (first: Release): boolean => release >= first;
  const clients = useClients(target);
  const scene = async (): Promise<{ path: string; watcher: RawClient; writer: RawClient }> => {
    const [watcher, writer] = [await clients.open(), await clients.open()];
    return { path: await clients.freshPath(writer), watcher, writer };
  };
  const types = async (client: RawClient): Promise<number[]> => (await client.settle()).map(({ type }) => type);

  describe(`requests that ${release} knows`, () => {
    it.each([
      ['create2', '3.5', Op.create2, createBody('/no/where'), -101],
      ['checkWatches', '3.5', Op.checkWatches, Buffer.concat([str('/'), int(3)]), -121],
      ['removeWatches', '3.5', Op.removeWatches, Buffer.concat([str('/'), int(3)]), -121],
      ['createContainer', '3.5', Op.createContainer, createBody('/no/where', { flags: 4 }), -101],
      ['createTTL', '3.5', Op.createTtl, ttlBody('/no/where', 5n), -101],
      ['multiRead', '3.6', Op.multiRead, multiBody([]), 0],
      ['getEphemerals', '3.6', Op.getEphemerals, str('/'), 0],
      ['getAllChildrenNumber', '3.6', Op.getAllChildrenNumber, pathBody('/'), 0],
      ['setWatches2', '3.6', Op.setWatches2, setWatchesBody(0n, [], [], [], [], []), 0],
      ['addWatch', '3.6', Op.addWatch, Buffer.concat([str('/'), persistent]), 0],
      ['whoAmI', '3.7', Op.whoAmI, Buffer.alloc(0), 0],
    ] as const)('%s, since %s', async (_name, first, op, body, err) => {
      const client = await clients.open();
      client.send(op, body, 5);
      const reply = await client.reply();
      if (since(first)) {
        expect(reply).toMatchObject({ xid: 5, err });
        expect(await client.err(Op.exists, watchBody('/'))).toBe(0);
      } else {
        expect(reply).toMatchObject({ xid: 5, err: -6, zxid: -1n });
        expect(await client.frame()).toBeNull();
      }
    });
  });

  describe(`events of ${release}`, () => {
    it('carry the zxid of the transaction since 3.9', async () => {
      const { path, watcher, writer } = await scene();
      await watcher.call(Op.getData, watchBody(path, true));
      const { zxid } = await writer.call(Op.setData, setBody(path, 'x'));
      expect((await watcher.event()).zxid).toBe(since('3.9') ? zxid : -1n);
    });

    it('need READ since 3.8, as exists does', async () => {
      const { path, watcher, writer } = await scene();
      await writer.call(Op.auth, authBody('digest', 'u:p'));
      await watcher.call(Op.exists, watchBody(`${path}/h`, true));
      await writer.call(Op.create, createBody(`${path}/h`, { acl: [{ perms: 31, scheme: 'auth', id: '' }] }));
      expect(await types(watcher)).toEqual(since('3.8') ? [] : [1]);
      expect(await watcher.err(Op.exists, watchBody(`${path}/h`))).toBe(since('3.8') ? -102 : 0);
      expect(await watcher.err(Op.getData, watchBody(`${path}/h`))).toBe(-102);
    });
  });

  if (since('3.6')) {
    describe(`watch modes of ${release}`, () => {
      it('a one-shot watch takes the place of a persistent one before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), persistent]));
        await watcher.call(Op.getData, watchBody(path, true));
        await writer.call(Op.setData, setBody(path, 'x'));
        await writer.call(Op.setData, setBody(path, 'y'));
        await writer.call(Op.create, createBody(`${path}/a`));
        // The child half of the persistent watch is still there.
        expect(await types(watcher)).toEqual(since('3.9') ? [3, 3, 4] : [3, 4]);
      });

      it('a persistent watch takes the place of a one-shot one, and sees the same', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.getData, watchBody(path, true));
        await watcher.call(Op.addWatch, Buffer.concat([str(path), persistent]));
        await writer.call(Op.setData, setBody(path, 'x'));
        await writer.call(Op.setData, setBody(path, 'y'));
        expect(await types(watcher)).toEqual([3, 3]);
      });

      it('of persistent and recursive the later one wins before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), recursive]));
        await watcher.call(Op.addWatch, Buffer.concat([str(path), persistent]));
        await writer.call(Op.create, createBody(`${path}/a`));
        expect(await types(watcher)).toEqual(since('3.9') ? [1, 4] : [4]);
      });

      it('a one-shot child watch does not touch a recursive one', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), recursive]));
        await watcher.call(Op.getChildren, watchBody(path, true));
        await writer.call(Op.create, createBody(`${path}/a`));
        await writer.call(Op.create, createBody(`${path}/b`));
        expect(await types(watcher)).toEqual([1, 4, 1]);
      });

      it('a recursive watch takes the place of a one-shot child watch before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.getChildren, watchBody(path, true));
        await watcher.call(Op.addWatch, Buffer.concat([str(path), recursive]));
        await writer.call(Op.create, createBody(`${path}/a`));
        expect(await types(watcher)).toEqual(since('3.9') ? [1, 4] : [1]);
      });

      it('so it does in one setWatches2, but not in one of two', async () => {
        for (const restored of ['together', 'child watch later'] as const) {
          const { path, watcher, writer } = await scene();
          const { zxid } = await watcher.call(Op.exists, watchBody('/'));
          const frames =
            restored === 'together'
              ? [[[path], [path]]]
              : [
                  [[], [path]],
                  [[path], []],
                ];
          for (const [children = [], deep = []] of frames) {
            watcher.send(Op.setWatches2, setWatchesBody(zxid, [], [], children, [], deep), -8);
            expect(await watcher.reply()).toMatchObject({ xid: -8, err: 0, eventsBefore: [] });
          }
          await writer.call(Op.create, createBody(`${path}/a`));
          const both = since('3.9') || restored === 'child watch later';
          expect([restored, await types(watcher)]).toEqual([restored, both ? [1, 4] : [1]]);
        }
      });

      it('a one-shot data watch takes the data half of a recursive one before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), recursive]));
        await watcher.call(Op.getData, watchBody(path, true));
        await writer.call(Op.setData, setBody(path, 'x'));
        await writer.call(Op.setData, setBody(path, 'y'));
        await writer.call(Op.create, createBody(`${path}/a`));
        await writer.call(Op.delete, versionBody(`${path}/a`));
        // What is left in the child table still hears of deletions.
        expect(await types(watcher)).toEqual(since('3.9') ? [3, 3, 1, 2] : [3, 2]);
      });

      it('checkWatches takes anybody’s watch on the path for the caller’s before 3.9; removeWatches does not', async () => {
        const { path, watcher, writer } = await scene();
        const body = Buffer.concat([str(path), int(2)]);
        await watcher.call(Op.getData, watchBody(path, true));
        expect(await writer.err(Op.checkWatches, body)).toBe(since('3.9') ? -121 : 0);
        expect(await writer.err(Op.removeWatches, body)).toBe(-121);
        expect(await watcher.err(Op.removeWatches, body)).toBe(0);
        expect(await writer.err(Op.checkWatches, body)).toBe(-121);
      });

      it('a persistent watch counts twice, a recursive one once since 3.9', async () => {
        const { path, watcher } = await scene();
        const count = async (): Promise<number> => {
          const asker = await clients.dial();
          asker.sendRaw('mntr');
          return Number(/^zk_watch_count\t(\d+)$/m.exec(await asker.text())?.[1]);
        };
        const before = await count();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), persistent]));
        expect((await count()) - before).toBe(2);
        await watcher.call(Op.addWatch, Buffer.concat([str(`${path}/a`), recursive]));
        expect((await count()) - before).toBe(since('3.9') ? 3 : 4);
        await watcher.call(Op.getData, watchBody(path, true));
        await watcher.call(Op.getChildren, watchBody(path, true));
        expect((await count()) - before).toBe(since('3.9') ? 3 : 4);
      });

      it('types 1 and 2 take half a persistent watch away before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), persistent]));
        const err = await watcher.err(Op.removeWatches, Buffer.concat([str(path), int(2)]));
        expect(err).toBe(since('3.9') ? -121 : 0);
        await writer.call(Op.setData, setBody(path, 'x'));
        await writer.call(Op.create, createBody(`${path}/a`));
        expect(await types(watcher)).toEqual(since('3.9') ? [3, 4] : [4]);
      });

      it('type 2 takes a whole recursive watch away before 3.9', async () => {
        const { path, watcher, writer } = await scene();
        await watcher.call(Op.addWatch, Buffer.concat([str(path), recursive]));
        const err = await watcher.err(Op.removeWatches, Buffer.concat([str(path), int(2)]));
        expect(err).toBe(since('3.9') ? -121 : 0);
        await writer.call(Op.create, createBody(`${path}/a`));
        expect(await types(watcher)).toEqual(since('3.9') ? [1] : []);
      });

      it('types 4 and 5 exist since 3.9', async () => {
        const { path, watcher } = await scene();
        for (const type of [4, 5]) {
          const err = await watcher.err(Op.checkWatches, Buffer.concat([str(path), int(type)]));
          expect(err).toBe(since('3.9') ? -121 : -5);
        }
      });
    });
  }

  describe(`a multi of ${release}`, () => {
    it('answers create2 with a Stat since 3.7', async () => {
      const { path, writer } = await scene();
      const { err, body } = await writer.call(Op.multi, multiBody([[Op.create2, createBody(`${path}/a`)]]));
      if (!since('3.5')) {
        expect([err, body.left]).toEqual([-5, 0]);
        return;
      }
      expect([err, body.int()]).toEqual([0, since('3.7') ? Op.create2 : Op.create]);
    });

    it('tells of a failure in the same way', async () => {
      const { path, writer } = await scene();
      const { err, body } = await writer.call(
        Op.multi,
        multiBody([
          [Op.create, createBody(`${path}/a`)],
          [Op.check, versionBody(path, 7)],
          [Op.delete, versionBody(path)],
        ]),
      );
      const codes = [0, 1, 2].map(() => [body.int(), body.bool(), body.int(), body.int()]);
      expect([err, codes]).toEqual([0, [0, -103, -2].map((code) => [-1, false, code, code])]);
    });
  });

  it(`${release} takes a null ACL for malformed before 3.6`, async () => {
    const { path, writer } = await scene();
    expect(await writer.err(Op.create, createBody(`${path}/a`, { acl: null }))).toBe(since('3.6') ? -114 : -5);
    expect(await writer.err(Op.create, createBody(`${path}/a`, { acl: [] }))).toBe(-114);
  });

  it(`${release} tells whoever may not delete there whether the node is there, before 3.6`, async () => {
    const { path, writer } = await scene();
    const readOnly = [{ perms: 1, scheme: 'world', id: 'anyone' }];
    expect(await writer.err(Op.create, createBody(`${path}/closed`, { acl: readOnly }))).toBe(0);
    const err = await writer.err(Op.delete, versionBody(`${path}/closed/missing`));
    expect(err).toBe(since('3.6') ? -102 : -101);
  });

  it(`${release} says what it is`, async () => {
    const client = await clients.dial();
    client.sendRaw('srvr');
    expect(await client.text()).toMatch(new RegExp(`^Zookeeper version: ${release.replace('.', '\\.')}\\.`));
  });
}
