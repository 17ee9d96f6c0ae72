import { describe, expect, it } from '@jest/globals';
import { ClosedError, TimeoutError, type ZooKeeper } from '../../src/index.ts';
import { once, recordRequests } from './requests.ts';
import { collect, rejection } from './target.ts';
import { useServers } from './use-server.ts';

async function plant(zk: ZooKeeper, ...paths: string[]): Promise<void> {
  for (const path of paths) await zk.ensurePath(path);
}

describe('walk', () => {
  const servers = useServers();

  it('leaves out what vanishes meanwhile, with all below', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a/x', '/t/b/y', '/t/c');
    server.intercept(({ type, path }) => (type === 'getChildren' && path === '/t/b' ? { error: -101 } : undefined));
    expect(await collect(zk.walk('/t'))).toEqual(['/t', '/t/a', '/t/a/x', '/t/c']);
  });

  it('may be used to delete what it finds', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a/x', '/t/b/y', '/t/c/z/u');
    for await (const path of zk.walk('/t')) if (path !== '/t') await zk.delete(path, { recursive: true });
    expect(Object.keys(server.dump('/t'))).toEqual(['/t']);
  });

  it('rejects when a list may not be read', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a', '/t/b', '/t/c');
    server.intercept(({ type, path }) => (type === 'getChildren' && path === '/t/b' ? { error: -102 } : undefined));
    const seen: string[] = [];
    const walking = (async () => {
      for await (const path of zk.walk('/t')) seen.push(path);
    })();
    expect(await rejection(walking)).toMatchObject({ code: 'NO_AUTH', path: '/t/b', operation: 'walk' });
    expect(seen).toEqual(['/t', '/t/a']);
  });

  it('asks ahead, but not for everything', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t');
    await Promise.all(Array.from({ length: 500 }, (_, index) => zk.create(`/t/n${String(index).padStart(3, '0')}`)));
    const requests = recordRequests(server);
    let steps = 0;
    for await (const _ of zk.walk('/t')) {
      steps += 1;
      if (steps === 2) break;
    }
    await zk.exists('/');
    expect(requests.filter(({ type }) => type === 'getChildren').map(({ path }) => path)).toEqual([
      '/t',
      ...Array.from({ length: 32 }, (_, index) => `/t/n0${String(index).padStart(2, '0')}`),
    ]);
  });

  it('goes on over a connection that breaks', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a/x', '/t/b', '/t/c');
    server.intercept(once(({ type, path }) => type === 'getChildren' && path === '/t/b', 'disconnect-before'));
    expect(await collect(zk.walk('/t'))).toEqual(['/t', '/t/a', '/t/a/x', '/t/b', '/t/c']);
  });

  it('gives each request its time', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a');
    server.intercept(({ path }) => (path === '/t/a' ? 'drop-request' : undefined));
    const seen: string[] = [];
    const walking = (async () => {
      for await (const path of zk.walk('/t', { timeout: 40 })) seen.push(path);
    })();
    expect(await rejection(walking)).toBeInstanceOf(TimeoutError);
    expect(seen).toEqual(['/t']);
  });

  it('ends when the client is closed', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t/a/b');
    const walking = zk.walk('/t')[Symbol.asyncIterator]();
    expect(await walking.next()).toEqual({ done: false, value: '/t' });
    await zk.close();
    expect(await rejection(walking.next() as Promise<unknown>)).toBeInstanceOf(ClosedError);
    expect(await rejection(collect(zk.walk('/t')))).toBeInstanceOf(ClosedError);
  });
});
