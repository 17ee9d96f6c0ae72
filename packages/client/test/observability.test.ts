import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { ZooKeeper } from '../src/index.ts';

let server: TestServer;
const clients: ZooKeeper[] = [];

beforeEach(async () => {
  server = await TestServer.start({ tickTime: 100 });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((zk) => zk.close()));
  await server.stop();
});

async function connected(options = {}): Promise<ZooKeeper> {
  const zk = await ZooKeeper.connect(server.connectString, options);
  clients.push(zk);
  return zk;
}

/** Cuts the connection; resolves when there is another. */
async function reconnected(zk: ZooKeeper): Promise<void> {
  const told = new Promise<void>((resolve) => {
    zk.once('reconnected', resolve);
  });
  server.dropConnections();
  await told;
}

/** What a channel publishes while the work goes on. */
async function published(channel: string, work: () => Promise<unknown>): Promise<unknown[]> {
  const messages: unknown[] = [];
  const listen = (message: unknown): void => {
    messages.push(message);
  };
  subscribe(channel, listen);
  try {
    await work();
  } finally {
    unsubscribe(channel, listen);
  }
  return messages;
}

describe('the diagnostics channels', () => {
  it('tell of each handshake', async () => {
    const messages = await published('zookit:connect', () => connected());
    const [host, port] = server.connectString.split(':');
    const sessionId = clients[0]?.session?.id;
    expect(messages).toEqual([{ host, address: host, port: Number(port), sessionId }]);
  });

  it('tell of each change of state', async () => {
    const zk = await connected();
    const sessionId = zk.session?.id;
    const messages = await published('zookit:session', async () => {
      await reconnected(zk);
    });
    expect(messages).toEqual([
      { state: 'suspended', previous: 'connected', sessionId },
      { state: 'connected', previous: 'suspended', sessionId },
    ]);
  });

  it('tell of each call, how it ended and how long it took', async () => {
    const zk = await connected();
    const messages = await published('zookit:request', async () => {
      await zk.create('/a', 'secret');
      await zk.get('/nope').catch(() => {});
      const abort = new AbortController();
      const aborted = zk.get('/a', { signal: abort.signal });
      abort.abort();
      await aborted.catch(() => {});
    });
    expect(messages).toEqual([
      { operation: 'create', path: '/a', code: 'OK', ms: expect.any(Number) },
      { operation: 'get', path: '/nope', code: 'NO_NODE', ms: expect.any(Number) },
      { operation: 'get', path: '/a', code: 'ABORTED', ms: expect.any(Number) },
    ]);
    for (const { ms } of messages as { ms: number }[]) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

describe('the logger', () => {
  it('hears of changes of state and of failures, and of no data, password or credentials', async () => {
    const lines: string[] = [];
    const log = (line: string): void => {
      lines.push(line);
    };
    const logger = { debug: log, info: log, warn: log, error: log };
    const zk = await connected({ logger, auth: [{ scheme: 'digest', auth: 'amy:hunter2' }] });
    await zk.create('/a', 'top secret');
    await reconnected(zk);
    const text = lines.join('\n');
    expect(text).toContain('connected -> suspended');
    expect(text).toContain('suspended -> connected');
    for (const secret of [
      'top secret',
      'hunter2',
      zk.session?.password.toString('latin1') ?? '',
      zk.session?.password.toString('hex') ?? '',
    ]) {
      expect(secret).not.toBe('');
      expect(text).not.toContain(secret);
    }
  });
});

describe('an IPv6 address', () => {
  it('is connected to, written in brackets', async () => {
    await using six = await TestServer.start({ host: '::1' });
    expect(six.connectString).toMatch(/^\[::1\]:\d+$/);
    const zk = await ZooKeeper.connect(`${six.connectString}/app`, { createChroot: true });
    clients.push(zk);
    expect(zk.server).toMatchObject({ host: '::1', address: '::1' });
    await zk.create('/a');
    expect(await zk.exists('/a')).not.toBeNull();
    await zk.close();
  });
});
