import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RealServer } from '@zookit/testing';
import { ACL, BadArgumentsError, Perms, ZooKeeper } from '../src/index.ts';
import { Clients, next, until } from './real/support.ts';
import { Authority, type Certificate, PASSPHRASE } from './support/certificates.ts';
import { ScriptedServer } from './support/scripted-server.ts';
import { outcome } from './support/until.ts';

jest.setTimeout(60_000);

const clients = new Clients();
let authority: Authority;
let stranger: Authority;
let service: Certificate;
let otherKey: string;
const servers: Record<string, RealServer> = {};

beforeAll(async () => {
  [authority, stranger] = await Promise.all([Authority.found(), Authority.found()]);
  const here = ['IP:127.0.0.1', 'DNS:localhost'];
  const [good, expired, elsewhere, rogue, own, other] = await Promise.all([
    authority.sign('good', here),
    authority.sign('expired', here, -1),
    authority.sign('elsewhere', ['DNS:elsewhere.example']),
    stranger.sign('rogue', here),
    authority.sign('service', []),
    authority.sign('other-key', []),
  ]);
  service = own;
  otherKey = other.pem.key;
  // All of them know the clients of the first authority.
  const known = good.files.ca;
  await Promise.all(
    Object.entries({ good, expired, elsewhere, rogue }).map(async ([name, { files }]) => {
      servers[name] = await RealServer.start({ tls: { ...files, ca: known } });
    }),
  );
});
afterEach(() => clients.close());
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  await Promise.all([authority?.close(), stranger?.close()]);
});

function addressOf(name: string): string {
  return (servers[name] as RealServer).connectString;
}

/** What a client logs of an attempt that fails for this reason. */
async function refusal(connectString: string, tls: object, reason: RegExp): Promise<string> {
  const told: string[] = [];
  const ignore = (): void => {};
  const logger = { debug: ignore, info: ignore, warn: (message: string) => told.push(message), error: ignore };
  const zk = new ZooKeeper(connectString, { connectTimeout: 30_000, sessionTimeout: 10_000, tls, logger });
  const connecting = outcome(zk.connect());
  const isReason = (message: string): boolean => reason.test(message);
  try {
    await until(`${reason} in ${JSON.stringify(told)}`, () => told.some(isReason));
  } finally {
    await zk.close();
    await connecting;
  }
  return told.find(isReason) as string;
}

describe('a server whose certificate won’t do', () => {
  it.each([
    ['expired', /certificate has expired/],
    ['elsewhere', /altnames: IP: 127\.0\.0\.1 is not in/],
    ['rogue', /unable to verify/],
  ])('is refused, by its host and the reason: %s', async (name, reason) => {
    expect(await refusal(addressOf(name), service.pem, reason)).toContain(addressOf(name));
  });

  it('is passed over for one whose certificate is good', async () => {
    const list = ['expired', 'elsewhere', 'rogue', 'good'].map(addressOf).join();
    const { zk } = await clients.connect(list, { shuffle: false, sessionTimeout: 4_000, tls: service.pem });
    expect(`${zk.server?.host}:${zk.server?.port}`).toBe(addressOf('good'));
  });
});

describe('a client whose certificate won’t do', () => {
  it.each([
    ['expired', () => authority.sign('late', [], -1)],
    ['of an authority that the server does not know', () => stranger.sign('impostor', [])],
  ])('is refused, and told so by the host: %s', async (_name, sign) => {
    const { cert, key } = (await sign()).pem;
    const tls = { ca: service.pem.ca, cert, key };
    expect(await refusal(addressOf('good'), tls, /certificate/)).toContain(addressOf('good'));
  });

  it('is refused when it has none', async () => {
    expect(await refusal(addressOf('good'), { ca: service.pem.ca }, /certificate/)).toContain(addressOf('good'));
  });
});

describe('keys and certificates', () => {
  it('may come as PKCS #12', async () => {
    const { zk } = await clients.connect(addressOf('good'), {
      sessionTimeout: 4_000,
      tls: { pfx: service.pfx, passphrase: PASSPHRASE, ca: service.pem.ca },
    });
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=service' });
  });

  it.each<[string, () => object, RegExp]>([
    ['a wrong passphrase', () => ({ pfx: service.pfx, passphrase: 'wrong' }), /mac verify failure/],
    ['bytes that are no PKCS #12', () => ({ pfx: Buffer.from('nonsense') }), /asn1|wrong tag|too long|not enough/i],
    ['a key of another certificate', () => ({ cert: service.pem.cert, key: otherKey }), /key values mismatch/],
    ['text that is no PEM', () => ({ cert: 'nonsense', key: service.pem.key }), /PEM|start line/],
  ])('that can’t be used are told at once: %s', (_name, tls, reason) => {
    const make = () => new ZooKeeper('127.0.0.1:1', { tls: tls() });
    expect(make).toThrow(BadArgumentsError);
    expect(make).toThrow(reason);
    expect(make).toThrow(/option tls/);
  });
});

describe('an identity that comes with a certificate', () => {
  it('may be named in an ACL, and keeps all others out', async () => {
    const { zk } = await clients.connect(addressOf('good'), { sessionTimeout: 4_000, tls: service.pem });
    const other = await authority.sign('another', []);
    const { zk: outsider } = await clients.connect(addressOf('good'), { sessionTimeout: 4_000, tls: other.pem });
    const acl = [{ perms: Perms.ALL, scheme: 'x509', id: 'CN=service' }];
    const { path } = await zk.create('/mine-', 'secret', { mode: 'ephemeral-sequential', acl });
    expect((await zk.get(path)).data?.toString()).toBe('secret');
    await expect(outsider.get(path)).rejects.toMatchObject({ code: 'NO_AUTH', path });
    await expect(outsider.set(path, 'x')).rejects.toMatchObject({ code: 'NO_AUTH', path });
    expect((await zk.getAcl(path)).acl).toEqual(acl);
    const { path: byAuth } = await zk.create('/auth-', 'x', { mode: 'ephemeral-sequential', acl: ACL.CREATOR });
    expect((await zk.getAcl(byAuth)).acl).toEqual(acl);
  });
});

describe('the search for a writable server', () => {
  it('asks by TLS, too', async () => {
    const { cert, key } = (await authority.sign('scripted', ['IP:127.0.0.1'])).pem;
    const listen = async (server: ScriptedServer) => {
      const listener = createServer({ cert, key }, (socket: TLSSocket) => server.accept(socket));
      await new Promise<void>((resolve) => {
        listener.listen(0, '127.0.0.1', resolve);
      });
      return { listener, address: `127.0.0.1:${(listener.address() as AddressInfo).port}` };
    };
    const readOnly = new ScriptedServer({ onWord: () => 'ro' }, { timeout: 6_000, readOnly: true });
    let serving = false;
    const writable = new ScriptedServer(
      { onConnect: () => (serving ? undefined : 'close'), onWord: (word) => (word === 'isro' ? 'rw' : '') },
      { timeout: 6_000 },
    );
    const [a, b] = await Promise.all([listen(readOnly), listen(writable)]);
    try {
      const { zk } = await clients.connect(`${a.address},${b.address}`, {
        ...{ readOnly: true, shuffle: false, sessionTimeout: 6_000, tls: { ca: service.pem.ca } },
      });
      expect(zk.state).toBe('readonly');
      serving = true;
      const connected = next(zk, 'connected');
      await connected;
      expect(`127.0.0.1:${zk.server?.port}`).toBe(b.address);
      await until('the question', () => writable.peers.some(({ word }) => word === 'isro'));
    } finally {
      await clients.close();
      await Promise.all([readOnly.stop(), writable.stop()]);
      await Promise.all([a, b].map(({ listener }) => new Promise((resolve) => listener.close(resolve))));
    }
  });
});
