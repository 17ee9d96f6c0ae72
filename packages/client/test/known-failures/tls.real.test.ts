import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultProxy, RealServer } from '@zookit/testing';
import { ZooKeeper, type ZooKeeperOptions } from '../../src/index.ts';
import { Clients, next } from '../real/support.ts';
import { Authority, type Certificate } from '../support/certificates.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { outcome } from '../support/until.ts';

jest.setTimeout(60_000);

const clients = new Clients();
let authority: Authority;
let byAddress: RealServer;
let byName: RealServer;
/** What a client shows; a server of ZooKeeper wants to see a certificate unless it is told otherwise. */
let service: Certificate['pem'];

beforeAll(async () => {
  authority = await Authority.found();
  const [address, name, client] = await Promise.all([
    authority.sign('by-address', ['IP:127.0.0.1']),
    authority.sign('by-name', ['DNS:localhost']),
    authority.sign('service', []),
  ]);
  service = client.pem;
  [byAddress, byName] = await Promise.all([
    RealServer.start({ tls: address.files }),
    RealServer.start({ tls: name.files }),
  ]);
});
afterEach(() => clients.close());
afterAll(async () => {
  await Promise.all([byAddress?.stop(), byName?.stop()]);
  await authority?.close();
});

function port(server: RealServer): number {
  return server.members[0]?.port as number;
}

/** What connect() rejects with, and every cause behind it. */
async function refusal(connectString: string, options: ZooKeeperOptions): Promise<{ codes: string[]; took: number }> {
  const began = performance.now();
  const error = await outcome(
    ZooKeeper.connect(connectString, { connectTimeout: 1_500, sessionTimeout: 4_000, ...options }),
  );
  const took = performance.now() - began;
  const codes: string[] = [];
  for (
    let cause = error as { code?: string; cause?: unknown } | undefined;
    cause;
    cause = cause.cause as typeof cause
  ) {
    codes.push(String(cause.code));
  }
  return { codes, took };
}

/** A session by TLS that works. */
async function works(connectString: string, options: ZooKeeperOptions): Promise<void> {
  const { zk } = await clients.connect(connectString, { sessionTimeout: 4_000, connectTimeout: 5_000, ...options });
  const { path } = await zk.create('/tls-', 'x', { mode: 'ephemeral-sequential' });
  expect((await zk.get(path)).data?.toString()).toBe('x');
}

describe('a certificate for an address', () => {
  it('is good for that address as host, and for no name that leads there', async () => {
    await works(`127.0.0.1:${port(byAddress)}`, { tls: service });
    const { codes, took } = await refusal(`localhost:${port(byAddress)}`, { tls: service });
    expect(codes.slice(0, 2)).toEqual(['TIMEOUT', 'CONNECTION_LOSS']);
    // One of its addresses has the server behind it, the other, if there is one, refuses.
    expect(['ERR_TLS_CERT_ALTNAME_INVALID', 'ECONNREFUSED']).toContain(codes[2]);
    expect(took).toBeLessThan(2_500);
  });
});

describe('a certificate for a name', () => {
  it('is good for that name as host, and not for its address', async () => {
    await works(`localhost:${port(byName)}`, { tls: service });
    const { codes, took } = await refusal(`127.0.0.1:${port(byName)}`, { tls: service });
    expect(codes).toEqual(['TIMEOUT', 'CONNECTION_LOSS', 'ERR_TLS_CERT_ALTNAME_INVALID']);
    expect(took).toBeLessThan(2_500);
  });

  it('is good for an address where the user says which name to look for', async () => {
    await works(`127.0.0.1:${port(byName)}`, { tls: { ...service, servername: 'localhost' } });
  });

  it('is judged by the host as written, never by what an address is called', async () => {
    const lookup = async (): Promise<readonly string[]> => ['127.0.0.1'];
    await works(`localhost:${port(byName)}`, { tls: service, environment: { lookup } });
    const { codes } = await refusal(`zk1.example.com:${port(byName)}`, { tls: service, environment: { lookup } });
    expect(codes).toEqual(['TIMEOUT', 'CONNECTION_LOSS', 'ERR_TLS_CERT_ALTNAME_INVALID']);
  });
});

describe('a certificate of an authority that nobody knows', () => {
  it('is refused with tls: true, and by any authority but its own', async () => {
    expect((await refusal(byAddress.connectString, { tls: true })).codes.slice(0, 2)).toEqual([
      'TIMEOUT',
      'CONNECTION_LOSS',
    ]);
    const stranger = await Authority.found();
    try {
      const { codes } = await refusal(byAddress.connectString, { tls: { ...service, ca: await stranger.ca } });
      expect(codes.slice(0, 2)).toEqual(['TIMEOUT', 'CONNECTION_LOSS']);
      expect(codes[2]).toMatch(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|CERT_SIGNATURE_FAILURE)$/);
    } finally {
      await stranger.close();
    }
  });

  it('is taken by a client that was told not to look', async () => {
    const { cert, key } = service;
    await works(byAddress.connectString, { tls: { cert, key, rejectUnauthorized: false } });
  });
});

describe('a server that wants to know its clients', () => {
  it('takes those that show a certificate of its authority, and no others', async () => {
    await works(byAddress.connectString, { tls: service });
    const nameless = await refusal(byAddress.connectString, { tls: { ca: service.ca } });
    expect(nameless.codes.slice(0, 2)).toEqual(['TIMEOUT', 'CONNECTION_LOSS']);
    expect(nameless.took).toBeLessThan(2_500);
    const stranger = await Authority.found();
    try {
      const { cert, key } = (await stranger.sign('impostor', [])).pem;
      const impostor = await refusal(byAddress.connectString, { tls: { ca: service.ca, cert, key } });
      expect(impostor.codes.slice(0, 2)).toEqual(['TIMEOUT', 'CONNECTION_LOSS']);
    } finally {
      await stranger.close();
    }
  });
});

describe('a host that speaks the other language', () => {
  it('TLS, to a plain client: a typed error in time, and the next host is taken', async () => {
    const began = performance.now();
    const { codes, took } = await refusal(byAddress.connectString, {});
    expect(codes[0]).toBe('TIMEOUT');
    expect(['CONNECTION_LOSS', 'PROTOCOL', 'TIMEOUT']).toContain(codes[1]);
    expect(took).toBeLessThan(2_500);
    expect(performance.now() - began).toBeLessThan(2_600);
    await works(`${byAddress.connectString},${byAddress.plainConnectString}`, { shuffle: false });
  });

  it('plain, to a client of TLS: a typed error in time, and the next host is taken', async () => {
    const { codes, took } = await refusal(byAddress.plainConnectString, { tls: service });
    expect(codes[0]).toBe('TIMEOUT');
    expect(['CONNECTION_LOSS', 'PROTOCOL', 'TIMEOUT']).toContain(codes[1]);
    expect(took).toBeLessThan(2_500);
    await works(`${byAddress.plainConnectString},${byAddress.connectString}`, { shuffle: false, tls: service });
  });
});

describe('a session over TLS', () => {
  it('survives a cut, and is resumed over TLS, with its ephemerals and watches', async () => {
    await using proxy = await FaultProxy.start(byAddress.connectString);
    const { zk, events } = await clients.connect(proxy.connectString, { sessionTimeout: 6_000, tls: service });
    const { id } = zk.session ?? {};
    const { path } = await zk.create('/cut-', null, { mode: 'ephemeral-sequential' });
    const heard: string[] = [];
    await zk.get(path, { watch: ({ type }) => heard.push(type) });
    const reconnected = next(zk, 'reconnected');
    await proxy.cut();
    await reconnected;
    expect((await zk.exists(path))?.ephemeralOwner).toBe(id);
    await zk.set(path, 'x');
    expect(heard).toEqual(['changed']);
    expect(events).toEqual(['connected', 'suspended', 'reconnected']);
    await zk.close();
  });

  it('carries a megabyte both ways', async () => {
    const { zk } = await clients.connect(byAddress.connectString, { sessionTimeout: 6_000, tls: service });
    const data = Buffer.alloc(1_000_000, 'abcdefg');
    const { path } = await zk.create('/large-', data, { mode: 'ephemeral-sequential' });
    expect((await zk.get(path)).data?.equals(data)).toBe(true);
  });
});

describe('the name that a client asks for', () => {
  it('is the host as written, and none for an address', async () => {
    const server = new ScriptedServer();
    const { cert, key } = (await authority.sign('by-both', ['DNS:localhost', 'IP:127.0.0.1'])).pem;
    const asked: (string | false | null)[] = [];
    const listener = createServer({ cert, key }, (socket: TLSSocket) => {
      asked.push((socket as TLSSocket & { servername: string | false | null }).servername);
      server.accept(socket);
    });
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve);
    });
    const { port: to } = listener.address() as AddressInfo;
    try {
      const tls = { ca: service.ca };
      const lookup = async (): Promise<readonly string[]> => ['127.0.0.1'];
      await clients.connect(`localhost:${to}`, { tls, environment: { lookup } });
      await clients.connect(`127.0.0.1:${to}`, { tls, environment: { lookup } });
      expect(asked).toEqual(['localhost', false]);
    } finally {
      await clients.close();
      await server.stop();
      await new Promise((resolve) => listener.close(resolve));
    }
  });
});
