import { describe, expect, it } from '@jest/globals';
import { ACL, BadArgumentsError, NoAuthError, NoNodeError, PathError, type WatchEvent } from '../../src/index.ts';
import { type GetTarget, rejection, useClients } from './target.ts';

export function readingCases(target: GetTarget): void {
  const clients = useClients(target);

  describe('multiRead', () => {
    it('tells each value, or why there is none, in order', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/a`, 'one');
      await zk.create(`${path}/null`);
      await zk.create(`${path}/shut`, 'x', { acl: ACL.digest('nobody', 'x') });
      const results = await zk.multiRead([
        { get: `${path}/a` },
        { get: `${path}/missing` },
        { children: path },
        { children: `${path}/a` },
        { children: `${path}/missing` },
        { get: `${path}/null` },
        { get: `${path}/shut` },
      ]);
      expect(results).toHaveLength(7);
      expect(results[0]).toEqual(await zk.get(`${path}/a`));
      expect(results[1]).toBeInstanceOf(NoNodeError);
      expect(results[1]).toMatchObject({ path: `${path}/missing`, operation: 'get' });
      expect((results[2] as { children: string[] }).children.sort()).toEqual(['a', 'null', 'shut']);
      expect(results[3]).toEqual({ children: [] });
      expect(results[4]).toBeInstanceOf(NoNodeError);
      expect(results[4]).toMatchObject({ path: `${path}/missing`, operation: 'children' });
      expect(results[5]).toMatchObject({ data: null });
      expect(results[6]).toBeInstanceOf(NoAuthError);
    });

    it('is nothing without reads', async () => {
      const zk = await clients.open();
      expect(await zk.multiRead([])).toEqual([]);
    });

    it('reads below the chroot', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const inside = await clients.open({}, path);
      await inside.create('/a', 'one');
      const [a, root, missing] = await inside.multiRead([{ get: '/a' }, { children: '/' }, { get: '/b' }]);
      expect(a).toMatchObject({ data: Buffer.from('one') });
      expect(root).toEqual({ children: ['a'] });
      expect(missing).toMatchObject({ code: 'NO_NODE', path: '/b' });
    });

    it('rejects reads that are none', async () => {
      const zk = await clients.open();
      expect(await rejection(zk.multiRead([{ get: 'relative' }]))).toBeInstanceOf(PathError);
      for (const reads of [null, 'x', [null], [{}], [{ get: '/', children: '/' }]]) {
        expect(await rejection(zk.multiRead(reads as never))).toBeInstanceOf(BadArgumentsError);
      }
    });
  });

  describe('ephemerals', () => {
    it("tells this session's, of all or of those that begin with the prefix", async () => {
      const zk = await clients.open();
      const other = await clients.open();
      const path = await clients.freshPath(zk);
      for (const name of ['a', 'ab', 'b']) await zk.create(`${path}/${name}`, null, { mode: 'ephemeral' });
      await zk.create(`${path}/persistent`);
      await other.create(`${path}/ac`, null, { mode: 'ephemeral' });
      expect(await zk.ephemerals()).toEqual([`${path}/a`, `${path}/ab`, `${path}/b`]);
      expect(await zk.ephemerals('/')).toEqual(await zk.ephemerals());
      expect(await zk.ephemerals(`${path}/a`)).toEqual([`${path}/a`, `${path}/ab`]);
      expect(await zk.ephemerals(`${path}/`)).toHaveLength(3);
      expect(await zk.ephemerals('/elsewhere')).toEqual([]);
      expect(await other.ephemerals()).toEqual([`${path}/ac`]);
    });

    it('keeps to the view', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      await zk.create(`${path}/app`);
      await zk.create(`${path}/app/a`, null, { mode: 'ephemeral' });
      await zk.create(`${path}/app2`, null, { mode: 'ephemeral' });
      const view = zk.namespace(`${path}/app`);
      expect(await view.ephemerals()).toEqual(['/a']);
      expect(await view.ephemerals('/a')).toEqual(['/a']);
      expect(await view.ephemerals('/b')).toEqual([]);
    });

    it('rejects a prefix that no path has', async () => {
      const zk = await clients.open();
      for (const prefix of ['', 'relative', '/a//b', 5]) {
        expect(await rejection(zk.ephemerals(prefix as string))).toBeInstanceOf(PathError);
      }
    });
  });

  describe('countDescendants', () => {
    it('counts all that lies below, and not beside', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      expect(await zk.countDescendants(path)).toBe(0);
      for (const name of ['a', 'a/b', 'a/b/c', 'd']) await zk.create(`${path}/${name}`);
      await zk.create(`${path}-beside`);
      expect(await zk.countDescendants(path)).toBe(4);
      expect(await zk.namespace(path).countDescendants('/a')).toBe(2);
      expect(await rejection(zk.countDescendants(`${path}/missing`))).toMatchObject({
        code: 'NO_NODE',
        path: `${path}/missing`,
        operation: 'countDescendants',
      });
      expect(await rejection(zk.countDescendants('a'))).toBeInstanceOf(PathError);
    });
  });

  describe('getConfig', () => {
    it('reads the configuration, whatever the view', async () => {
      const zk = await clients.open();
      const path = await clients.freshPath(zk);
      const inside = await clients.open({}, path);
      expect(await inside.getConfig()).toEqual(await zk.getConfig());
      const { data, stat } = await inside.namespace('/x').getConfig();
      expect(data?.length ?? 0).toBe(stat.dataLength);
    });

    it('sets a watch that can be taken back', async () => {
      const zk = await clients.open();
      const events: WatchEvent[] = [];
      const taken = new AbortController();
      await zk.getConfig({ watch: (event) => events.push(event), watchSignal: taken.signal });
      expect(zk.health().watches).toBe(1);
      taken.abort();
      expect(zk.health().watches).toBe(0);
      await zk.getConfig({ watch: (event) => events.push(event) });
      await zk.close();
      expect(events).toEqual([{ type: 'closed', path: '/zookeeper/config' }]);
      expect(await rejection(zk.getConfig({ watch: 5 as never }))).toBeInstanceOf(BadArgumentsError);
    });
  });

  describe('reconfig', () => {
    it('says that reconfiguration is switched off', async () => {
      const zk = await clients.open();
      expect(await rejection(zk.reconfig({ leaving: '3' }))).toMatchObject({
        name: 'ReconfigDisabledError',
        code: 'RECONFIG_DISABLED',
        operation: 'reconfig',
      });
      // The connection is still the same.
      expect(zk.state).toBe('connected');
    });

    it('rejects what no server would take', async () => {
      const zk = await clients.open();
      const bad = [
        {},
        { joining: '' },
        { joining: [] },
        { joining: 'server.1=a:1:2;3', members: 'server.1=a:1:2;3' },
        { joining: [5] },
        { leaving: 3 },
        { leaving: '3', fromConfig: 1.5 },
        { leaving: '3', fromConfig: 2n ** 63n },
      ];
      for (const options of bad) {
        expect(await rejection(zk.reconfig(options as never))).toBeInstanceOf(BadArgumentsError);
      }
      expect(await rejection(zk.reconfig())).toBeInstanceOf(BadArgumentsError);
    });
  });
}
