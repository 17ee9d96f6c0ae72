import { describe, expect, it } from '@jest/globals';
import { ACL, BadArgumentsError, NoNodeError, PathError, Perms, type ZooKeeper } from '../../src/index.ts';
import { outcome } from '../support/until.ts';
import { collect, type GetTarget, rejection, useClients } from './target.ts';

/** A tree of so many levels, with so many children on each znode. */
async function grow(zk: ZooKeeper, path: string, depth: number, width: number): Promise<number> {
  if (depth === 0) return 0;
  const names = Array.from({ length: width }, (_, index) => `${path}/n${String(index).padStart(3, '0')}`);
  await Promise.all(names.map((name) => zk.create(name)));
  const below = await Promise.all(names.map((name) => grow(zk, name, depth - 1, width)));
  return below.reduce((sum, count) => sum + count, width);
}

export function treeCases(target: GetTarget): void {
  const clients = useClients(target);

  describe('ensurePath', () => {
    it('makes what is missing, and nothing else', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/a`, 'kept', { acl: ACL.OPEN });
      await zk.ensurePath(`${path}/a/b/c/d`);
      await zk.ensurePath(`${path}/a/b/c/d`);
      await zk.ensurePath('/');
      const { data, stat } = await zk.get(`${path}/a/b/c/d`);
      expect(data).toBeNull();
      expect(stat.version).toBe(0);
      expect((await zk.get(`${path}/a`)).data?.toString()).toBe('kept');
    });

    it('makes containers, with the ACL', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.ensurePath(`${path}/c/d`, {
        container: true,
        acl: [ACL.READ, { ...ACL.OPEN[0]!, perms: Perms.CREATE }],
      });
      expect((await zk.getAcl(`${path}/c`)).acl.map(({ perms }) => perms)).toEqual([Perms.READ, Perms.CREATE]);
    });

    it('takes a znode that is there for made, though the caller could not have made it', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/shut`);
      await zk.setAcl(path, ACL.READ);
      await zk.ensurePath(`${path}/shut`);
      expect(await rejection(zk.ensurePath(`${path}/new/below`))).toMatchObject({
        code: 'NO_AUTH',
        path: `${path}/new`,
        operation: 'ensurePath',
      });
    });

    it('never makes the chroot', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const inside = await clients.open({}, `${path}/nothing`);
      for (const view of [inside, inside.namespace('/ns')]) {
        expect(await rejection(view.ensurePath('/a/b'))).toBeInstanceOf(NoNodeError);
        expect(await rejection(view.create('/a/b', null, { parents: true }))).toBeInstanceOf(NoNodeError);
      }
      await inside.ensurePath('/');
      expect((await zk.children(path)).children).toEqual([]);
      await zk.create(`${path}/nothing`);
      await inside.namespace('/ns').ensurePath('/a/b');
      expect(await zk.exists(`${path}/nothing/ns/a/b`)).not.toBeNull();
    });

    it('makes a namespace’s own path', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.namespace(`${path}/e/f`).ensurePath('/');
      expect((await zk.children(`${path}/e/f`)).children).toEqual([]);
      await zk.namespace(`${path}/g/h`).ensurePath('/a');
      expect((await zk.children(`${path}/g/h`)).children).toEqual(['a']);
    });

    it('rejects what will not do', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/e`, null, { mode: 'ephemeral' });
      expect(await rejection(zk.ensurePath(`${path}/e/below`))).toMatchObject({ code: 'NO_CHILDREN_FOR_EPHEMERALS' });
      expect(await rejection(zk.ensurePath('a'))).toBeInstanceOf(PathError);
      expect(await rejection(zk.ensurePath('/a', { acl: [5] as never }))).toBeInstanceOf(BadArgumentsError);
      expect(await rejection(zk.ensurePath('/a', { timeout: Number.NaN }))).toBeInstanceOf(BadArgumentsError);
    });
  });

  describe('delete with recursive', () => {
    it('deletes a tree, and nothing beside it', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/tree`);
      await zk.create(`${path}/tree-beside`);
      expect(await grow(zk, `${path}/tree`, 3, 7)).toBe(399);
      await zk.delete(`${path}/tree`, { recursive: true });
      expect((await zk.children(path)).children).toEqual(['tree-beside']);
    });

    it('deletes more children than are on the wire at once, and a long chain', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await grow(zk, path, 1, 700);
      const chain = `${path}/n000${'/x'.repeat(100)}`;
      await zk.ensurePath(chain);
      await zk.delete(path, { recursive: true });
      expect(await zk.exists(path)).toBeNull();
    });

    it('deletes a znode without children, ephemerals below and the root of a view', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/leaf`);
      await zk.delete(`${path}/leaf`, { recursive: true });
      await zk.create(`${path}/a`);
      await zk.create(`${path}/a/e`, null, { mode: 'ephemeral' });
      await zk.namespace(`${path}/a`).delete('/', { recursive: true });
      expect((await zk.children(path)).children).toEqual([]);
    });

    it('outlasts another client that creates and one that deletes', async () => {
      const zk = await clients.open();
      const [creator, deleter] = [await clients.open(), await clients.open()];
      const path = await clients.freshPath(zk);
      await grow(zk, path, 2, 12);
      const creating = (async () => {
        for (let index = 0; index < 100; index += 1) {
          const created = await outcome(creator.create(`${path}/late-${index}`));
          if (created instanceof NoNodeError) return;
        }
      })();
      const options = { recursive: true };
      const [first, second] = await Promise.all([
        outcome(zk.delete(path, options)),
        outcome(deleter.delete(path, options)),
      ]);
      await creating;
      expect([first, second]).toEqual([undefined, undefined]);
      expect(await zk.exists(path)).toBeNull();
    });

    it('deletes nothing when the znode is missing, or at another version', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/a`);
      expect(await rejection(zk.delete(`${path}/missing`, { recursive: true }))).toMatchObject({
        code: 'NO_NODE',
        path: `${path}/missing`,
        operation: 'delete',
      });
      const error = await rejection(zk.delete(path, { recursive: true, version: 7 }));
      expect(error).toMatchObject({ code: 'BAD_VERSION', path });
      expect((error as { maybeApplied?: boolean }).maybeApplied).not.toBe(true);
      expect((await zk.children(path)).children).toEqual(['a']);
      await zk.delete(path, { recursive: true, version: 0 });
      expect(await zk.exists(path)).toBeNull();
    });

    it('stops at what it may not delete, and says what and that the rest may be gone', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.ensurePath(`${path}/shut/kept`);
      await zk.create(`${path}/other`);
      await zk.setAcl(`${path}/shut`, ACL.READ);
      expect(await rejection(zk.delete(path, { recursive: true }))).toMatchObject({
        code: 'NO_AUTH',
        path: `${path}/shut/kept`,
        operation: 'delete',
        maybeApplied: true,
      });
      expect(await zk.exists(`${path}/shut/kept`)).not.toBeNull();
    });

    it('never touches the root', async () => {
      const zk = await clients.open();
      await clients.freshPath(zk);
      expect(await rejection(zk.delete('/', { recursive: true }))).toBeInstanceOf(BadArgumentsError);
      expect((await zk.children('/')).children.length).toBeGreaterThan(1);
    });

    it('goes with guaranteed', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await grow(zk, path, 2, 5);
      await zk.delete(path, { recursive: true, guaranteed: true });
      expect(await zk.exists(path)).toBeNull();
      expect(await rejection(zk.delete(path, { recursive: true, guaranteed: true }))).toBeInstanceOf(NoNodeError);
    });
  });

  describe('walk', () => {
    it('goes depth first, the node itself first, siblings by name', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      for (const name of ['b', 'a', 'a/z', 'a/y', 'a/y/x', 'c']) await zk.create(`${path}/${name}`);
      const below = ['', '/a', '/a/y', '/a/y/x', '/a/z', '/b', '/c'];
      expect(await collect(zk.walk(path))).toEqual(below.map((name) => `${path}${name}`));
      const view = zk.namespace(path);
      expect(await collect(view.walk('/'))).toEqual(['/', ...below.slice(1)]);
      expect(await collect(view.walk())).toEqual(['/', ...below.slice(1)]);
      expect(await collect(view.walk('/a/y'))).toEqual(['/a/y', '/a/y/x']);
    });

    it('finds everything in a large tree', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const count = await grow(zk, path, 3, 9);
      const paths = await collect(zk.walk(path));
      expect(paths).toHaveLength(count + 1);
      expect(new Set(paths).size).toBe(count + 1);
      expect(paths).toEqual([...paths].sort());
    });

    it('keeps to the view, with a child that is named like the configuration', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.ensurePath(`${path}/zookeeper/config/mine`);
      expect(await collect(zk.namespace(path).walk())).toEqual([
        '/',
        '/zookeeper',
        '/zookeeper/config',
        '/zookeeper/config/mine',
      ]);
      await zk.namespace(path).delete('/zookeeper/config', { recursive: true });
      expect(await collect(zk.namespace(path).walk())).toEqual(['/', '/zookeeper']);
    });

    it('rejects at the first step', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      expect(await rejection(collect(zk.walk(`${path}/missing`)))).toMatchObject({
        code: 'NO_NODE',
        path: `${path}/missing`,
        operation: 'walk',
      });
      expect(await rejection(collect(zk.walk('a')))).toBeInstanceOf(PathError);
      const reason = new Error('enough');
      expect(await rejection(collect(zk.walk(path, { signal: AbortSignal.abort(reason) })))).toBe(reason);
    });

    it('ends when the signal aborts, between two steps as well', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await grow(zk, path, 1, 50);
      const controller = new AbortController();
      const reason = new Error('enough');
      const seen: string[] = [];
      const walking = (async () => {
        for await (const each of zk.walk(path, { signal: controller.signal })) {
          seen.push(each);
          if (seen.length === 5) controller.abort(reason);
        }
      })();
      expect(await rejection(walking)).toBe(reason);
      expect(seen).toHaveLength(5);
    });

    it('can be left at any step', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await grow(zk, path, 2, 20);
      let steps = 0;
      for await (const _ of zk.walk(path)) {
        steps += 1;
        if (steps === 30) break;
      }
      expect(steps).toBe(30);
      expect(await zk.exists(path)).not.toBeNull();
    });
  });
}
