import { expect, it } from '@jest/globals';
import type { WatchEvent, ZooKeeper } from '../../src/index.ts';
import { record, settled } from './record.ts';

/** Two clients in a fresh part of the tree. */
export interface Scene {
  zk: ZooKeeper;
  other: ZooKeeper;
}

/** What holds on every server with addWatch, though those before 3.9 keep only one mode of watch on a path. */
export function modeCases(scene: () => Promise<Scene>): void {
  it('tells of data and children of one znode, again and again', async () => {
    const { zk, other } = await scene();
    const told = record(await zk.watch('/a'));
    await other.create('/a');
    await other.set('/a', 'x');
    await other.set('/a', 'y');
    await other.create('/a/b');
    await other.set('/a/b', 'z');
    await other.create('/a/b/c');
    await other.delete('/a', { recursive: true });
    await settled(zk);
    expect(told).toEqual(['created /a', 'changed /a', 'changed /a', 'children /a', 'children /a', 'deleted /a']);
  });

  it('that is recursive tells of all below, and never of children', async () => {
    const { zk, other } = await scene();
    const told = record(await zk.watch('/a', { recursive: true }));
    await other.create('/a');
    await other.create('/a/b');
    await other.create('/ab');
    await other.set('/a/b', 'z');
    await zk.children('/a/b', { watch: () => {} });
    await other.create('/a/b/c');
    await other.delete('/a', { recursive: true });
    await settled(zk);
    expect(told).toEqual([
      'created /a',
      'created /a/b',
      'changed /a/b',
      'created /a/b/c',
      'deleted /a/b/c',
      'deleted /a/b',
      'deleted /a',
    ]);
  });

  it('goes on beside one-shot watches of its path, and each is told once', async () => {
    const { zk, other } = await scene();
    await zk.create('/p');
    const watch = await zk.watch('/p');
    const told = record(watch);
    const shots: string[] = [];
    const shot = ({ type }: WatchEvent) => shots.push(type);
    const shotToo = ({ type }: WatchEvent) => shots.push(type);
    await zk.get('/p', { watch: shot });
    await zk.children('/p', { watch: shotToo });
    await other.set('/p', 'x');
    await other.set('/p', 'y');
    await other.create('/p/a');
    await other.create('/p/b');
    await zk.exists('/p', { watch: shot });
    await other.delete('/p', { recursive: true });
    await settled(zk);
    expect(told).toEqual([
      'changed /p',
      'changed /p',
      'children /p',
      'children /p',
      'children /p',
      'children /p',
      'deleted /p',
    ]);
    expect(shots).toEqual(['changed', 'children', 'deleted']);
  });

  it('leaves one-shot watches armed when it is closed', async () => {
    const { zk, other } = await scene();
    await zk.create('/p');
    const shots: string[] = [];
    const watch = await zk.watch('/p');
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await watch.close();
    await other.set('/p', 'x');
    await other.create('/p/a');
    await settled(zk);
    expect(shots).toEqual(['data changed', 'child children']);
  });

  it('that is recursive is no end of a one-shot watch of the children, nor of the data', async () => {
    const { zk, other } = await scene();
    await zk.create('/p');
    const shots: string[] = [];
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    const watch = await zk.watch('/p', { recursive: true });
    const told = record(watch);
    await other.create('/p/a');
    await other.set('/p', 'x');
    await zk.children('/p', { watch: ({ type }) => shots.push(`child ${type}`) });
    await zk.get('/p', { watch: ({ type }) => shots.push(`data ${type}`) });
    await watch.close();
    await other.create('/p/b');
    await other.set('/p', 'y');
    await settled(zk);
    expect(told).toEqual(['created /p/a', 'changed /p']);
    expect(shots).toEqual(['child children', 'data changed', 'child children', 'data changed']);
  });

  it.each([true, false])('of both kinds on one path: each tells its own (recursive first: %s)', async (first) => {
    const { zk, other } = await scene();
    await zk.create('/p');
    const one = await zk.watch('/p', { recursive: first });
    const two = await zk.watch('/p', { recursive: !first });
    const [plain, recursive] = first ? [two, one] : [one, two];
    const [toldPlain, toldRecursive] = [record(plain), record(recursive)];
    const shots: string[] = [];
    await zk.children('/p', { watch: ({ type }) => shots.push(type) });
    await other.create('/p/a');
    await other.create('/p/a/b');
    await other.set('/p', 'x');
    await other.delete('/p/a/b');
    await other.delete('/p/a');
    await settled(zk);
    expect(toldPlain).toEqual(['children /p', 'changed /p', 'children /p']);
    expect(toldRecursive).toEqual(['created /p/a', 'created /p/a/b', 'changed /p', 'deleted /p/a/b', 'deleted /p/a']);
    expect(shots).toEqual(['children']);
  });

  it.each([true, false])(
    'of both kinds on one path: one is closed, the other goes on (recursive: %s)',
    async (closed) => {
      const { zk, other } = await scene();
      await zk.create('/p');
      const plain = await zk.watch('/p');
      const recursive = await zk.watch('/p', { recursive: true });
      const shots: string[] = [];
      await zk.children('/p', { watch: ({ type }) => shots.push(type) });
      await (closed ? recursive : plain).close();
      const told = record(closed ? plain : recursive);
      await other.create('/p/a');
      await other.create('/p/a/b');
      await other.set('/p', 'x');
      await settled(zk);
      expect(told).toEqual(closed ? ['children /p', 'changed /p'] : ['created /p/a', 'created /p/a/b', 'changed /p']);
      expect(shots).toEqual(['children']);
    },
  );
}
