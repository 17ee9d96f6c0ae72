import { describe, expect, it } from '@jest/globals';
import type { TestServer } from '@zookit/testing';
import { NoNodeError } from '../../src/index.ts';
import { createMarked } from '../../src/internal.ts';
import { rejection } from './target.ts';
import { useServers } from './use-server.ts';

const kindsOf = (server: TestServer, paths: string[]) => paths.map((path) => server.node(path)?.kind);

describe('a namespace whose own path is missing', () => {
  const servers = useServers();

  it('is made by parents, of the kind that they ask for', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    expect((await zk.namespace('/app/a').create('/x', '', { parents: true })).path).toBe('/x');
    expect(kindsOf(server, ['/app', '/app/a'])).toEqual(['persistent', 'persistent']);
    await zk.namespace('/box/a').create('/s-', '', { mode: 'persistent-sequential', parents: 'container' });
    expect(kindsOf(server, ['/box', '/box/a'])).toEqual(['container', 'container']);
    await zk.namespace('/seq').create('/', '', { mode: 'persistent-sequential', parents: true });
    expect((await zk.children('/seq')).children).toEqual(['0000000000']);
    await zk.namespace('/ensured').ensurePath('/', { container: true });
    expect(kindsOf(server, ['/ensured'])).toEqual(['container']);
  });

  it('is made for the znodes of recipes', async () => {
    const server = await servers.start();
    const zk = await servers.connect(server);
    const view = zk.namespace('/app');
    const options = { mode: 'ephemeral-sequential', parents: 'container' } as const;
    expect((await createMarked(view, '/locks/lock-', 'me', options, '_c_mine-')).path).toBe(
      '/locks/_c_mine-lock-0000000000',
    );
    expect(kindsOf(server, ['/app', '/app/locks'])).toEqual(['container', 'container']);
  });

  it('is not made without them, and the error says how', async () => {
    const zk = await servers.connect(await servers.start());
    const error = await rejection(zk.namespace('/app').create('/x'));
    expect(error).toBeInstanceOf(NoNodeError);
    expect(String(error)).toContain('the namespace "/app" does not exist; make it, or create with parents: true');
    expect(await zk.exists('/app')).toBeNull();
  });

  it('is not made where the chroot is missing', async () => {
    const server = await servers.start();
    const inside = await servers.connect({ connectString: `${server.connectString}/no/such` });
    const view = inside.namespace('/app');
    expect(await rejection(view.create('/x', '', { parents: true }))).toBeInstanceOf(NoNodeError);
    expect(await rejection(inside.create('/', '', { parents: true }))).toBeInstanceOf(NoNodeError);
    const zk = await servers.connect(server);
    expect(await zk.exists('/no')).toBeNull();
  });
});
