import { describe, expect, it } from '@jest/globals';
import type { TestServer } from '@zookit/testing';
import { ConnectionLossError, NotEmptyError, type ZooKeeper } from '../../src/index.ts';
import { outcome, until } from '../support/until.ts';
import { once, recordRequests, typesOf } from './requests.ts';
import { rejection } from './target.ts';
import { useServers } from './use-server.ts';

async function plant(zk: ZooKeeper, path: string, width: number): Promise<void> {
  await zk.ensurePath(path);
  await Promise.all(Array.from({ length: width }, (_, index) => zk.create(`${path}/n${index}`)));
}

function count(server: TestServer, path: string): number {
  return Object.keys(server.dump(path)).length;
}

describe('delete with recursive, while others change the tree', () => {
  const servers = useServers();

  it('deletes what appears meanwhile', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const other = await servers.connect(server);
    await plant(zk, '/t', 3);
    let made = 0;
    server.intercept(({ type, path, sessionId }) => {
      // Each of the first five times that the emptied znode is to go, somebody is faster.
      if (type !== 'delete' || path !== '/t' || sessionId !== zk.session?.id || made === 5) return undefined;
      made += 1;
      void other.create(`/t/late-${made}`);
      return { delay: 20 };
    });
    await zk.delete('/t', { recursive: true });
    expect(made).toBe(5);
    expect(server.node('/t')).toBeNull();
  });

  it('gives up when somebody never stops, and says so', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 3);
    let tries = 0;
    server.intercept(({ type, path }) => {
      if (type !== 'delete' || path !== '/t') return undefined;
      tries += 1;
      return { error: -111 };
    });
    const error = await rejection(zk.delete('/t', { recursive: true }));
    expect(error).toBeInstanceOf(NotEmptyError);
    expect(error).toMatchObject({ path: '/t', operation: 'delete', maybeApplied: true });
    expect((error as Error).message).toContain('somebody keeps creating them');
    expect(tries).toBe(21);
    expect(server.node('/t')?.children).toEqual([]);
  });

  it('can be done by two at once', async () => {
    const server = await servers.start();
    const [one, two] = [await servers.connect(server), await servers.connect(server)];
    await Promise.all(['/t/a', '/t/b', '/t/c/d'].map((path) => plant(one, path, 200)));
    await Promise.all([one.delete('/t', { recursive: true }), two.delete('/t', { recursive: true })]);
    expect(server.node('/t')).toBeNull();
  });

  it('does not mind that others delete before it', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.ensurePath('/t/a/b');
    await plant(zk, '/t/c', 3);
    // The answers of a server on which all of it has gone between the list of /t and what follows.
    server.intercept(({ type, path }) => (type === 'delete' && path?.startsWith('/t/') ? { error: -101 } : undefined));
    server.intercept(({ type, path }) =>
      type === 'delete' && path === '/t' && listed > 0 ? { error: -101 } : undefined,
    );
    let listed = 0;
    server.intercept(({ type }) => {
      if (type === 'getChildren') listed += 1;
      return undefined;
    });
    await zk.delete('/t', { recursive: true });
    expect(listed).toBe(1);
  });
});

describe('delete with recursive, on the wire', () => {
  const servers = useServers();

  it('is one request for a znode without children', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.create('/leaf');
    const requests = recordRequests(server);
    await zk.delete('/leaf', { recursive: true });
    expect(typesOf(requests)).toEqual(['delete']);
  });

  it('sends many requests at once, but not all', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 1_000);
    let most = 0;
    server.intercept(() => {
      most = Math.max(most, zk.health().inFlight + zk.health().queued);
      return undefined;
    });
    await zk.delete('/t', { recursive: true });
    expect(most).toBeGreaterThan(64);
    expect(most).toBeLessThanOrEqual(128);
  });

  it('keeps within what the client may have on the wire', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 200);
    const narrow = await servers.connect(server, { maxInFlight: 5, maxQueued: 5 });
    let seen = 0;
    for await (const _ of narrow.walk('/t')) seen += 1;
    expect(seen).toBe(201);
    await narrow.delete('/t', { recursive: true });
    expect(server.node('/t')).toBeNull();
  });

  it('asks for nothing outside the tree', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await zk.ensurePath('/app/t/a/b');
    await zk.ensurePath('/app/t2/a');
    const view = zk.namespace('/app');
    const requests = recordRequests(server);
    await view.delete('/t', { recursive: true });
    expect(requests.every(({ path }) => path === '/app/t' || path?.startsWith('/app/t/'))).toBe(true);
    expect(Object.keys(server.dump('/app'))).toEqual(['/app', '/app/t2', '/app/t2/a']);
  });

  it('goes on over a connection that breaks at a child', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 300);
    server.intercept(once(({ type, path }) => type === 'delete' && path === '/t/n150', 'disconnect-after'));
    await zk.delete('/t', { recursive: true });
    expect(server.node('/t')).toBeNull();
  });

  it('is in doubt when the connection breaks at the znode itself', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 3);
    let tries = 0;
    server.intercept(({ type, path }) => {
      if (type !== 'delete' || path !== '/t') return undefined;
      tries += 1;
      return tries === 2 ? 'disconnect-after' : 'pass';
    });
    const error = await rejection(zk.delete('/t', { recursive: true }));
    expect(error).toBeInstanceOf(ConnectionLossError);
    expect(error).toMatchObject({ path: '/t', maybeApplied: true });
    await zk.exists('/');
    expect(tries).toBe(2);
  });

  it('stops at once at an abort, and sends nothing more', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 500);
    const controller = new AbortController();
    const reason = new Error('enough');
    let deletes = 0;
    server.intercept(({ type }) => {
      if (type === 'delete') deletes += 1;
      if (deletes === 200) controller.abort(reason);
      return undefined;
    });
    expect(await outcome(zk.delete('/t', { recursive: true, signal: controller.signal }))).toBe(reason);
    await until(() => zk.health().inFlight === 0, 'the answers to what was sent');
    expect(deletes).toBeLessThan(200 + 128);
    expect(count(server, '/t')).toBeGreaterThan(100);
    const left = count(server, '/t');
    await zk.exists('/');
    expect(count(server, '/t')).toBe(left);
  });

  it('has one deadline', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 3);
    server.intercept(({ path }) => (path === '/t/n1' ? 'drop-request' : undefined));
    expect(await rejection(zk.delete('/t', { recursive: true, timeout: 50 }))).toMatchObject({
      name: 'TimeoutError',
      operation: 'delete',
      path: '/t',
      maybeApplied: true,
    });
  });

  it('says of nothing deleted that nothing was', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 3);
    server.intercept(({ type }) => (type === 'delete' ? { error: -102 } : undefined));
    const error = await rejection(zk.delete('/t', { recursive: true }));
    expect(error).toMatchObject({ code: 'NO_AUTH', path: '/t' });
    expect(error).not.toHaveProperty('maybeApplied');
  });
});

describe('delete with guaranteed', () => {
  const servers = useServers();

  it('and recursive goes on over every kind of break', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server, { retry: false });
    await plant(zk, '/t/a', 300);
    let deletes = 0;
    server.intercept(({ type }) => {
      if (type !== 'delete') return undefined;
      deletes += 1;
      if (deletes === 50) return 'disconnect-before';
      if (deletes === 250) return 'disconnect-after';
      return undefined;
    });
    await zk.delete('/t', { recursive: true, guaranteed: true });
    expect(server.node('/t')).toBeNull();
  });

  it('and recursive goes on in the next session', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 300);
    const { id } = zk.session as { id: bigint };
    let deletes = 0;
    server.intercept(({ type }) => {
      if (type !== 'delete') return undefined;
      deletes += 1;
      if (deletes !== 100) return undefined;
      setImmediate(() => server.expireSession(id));
      return 'disconnect-before';
    });
    await zk.delete('/t', { recursive: true, guaranteed: true });
    expect(server.node('/t')).toBeNull();
    expect(zk.session?.id).not.toBe(id);
  });

  it('goes on in the background after the caller has lost patience', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    await plant(zk, '/t', 3);
    let refuse = true;
    server.intercept(({ type }) => (type === 'delete' && refuse ? 'disconnect-before' : undefined));
    const controller = new AbortController();
    const deleting = outcome(zk.delete('/t', { recursive: true, guaranteed: true, signal: controller.signal }));
    controller.abort(new Error('enough'));
    expect(await deleting).toMatchObject({ message: 'enough' });
    refuse = false;
    await until(() => server.node('/t') === null, 'the background has deleted it');
  });

  it.each([true, false])('leaves alone what another has made in its place (recursive: %s)', async (recursive) => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const other = await servers.connect(server);
    await zk.create('/t', 'old');
    server.intercept(
      once(({ type, path }) => {
        if (type !== 'delete' || path !== '/t') return false;
        void other.create('/t', 'new');
        return true;
      }, 'disconnect-after'),
    );
    await zk.delete('/t', { recursive, guaranteed: true });
    await until(() => server.node('/t') !== null, 'the other has created it');
    expect(server.node('/t')?.data?.toString()).toBe('new');
  });

  it.each([true, false])(
    'knows the znode in a session in which nothing was answered yet (recursive: %s)',
    async (recursive) => {
      const server = await servers.start();
      await (await servers.connect(server)).create('/t');
      const zk = await servers.connect(server);
      expect(zk.lastZxid).toBe(0n);
      server.intercept(once(({ type }) => type === 'delete', 'disconnect-before'));
      await zk.delete('/t', { recursive, guaranteed: true });
      expect(server.node('/t')).toBeNull();
    },
  );
});
