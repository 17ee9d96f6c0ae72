import type { AddressInfo } from 'node:net';
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Connection, type ConnectionOptions, zooKeeperError } from '../src/index.ts';
import { bool, bytes, connectResponse, event, frame, framesOf, int, long, PASSWORD, reply } from './support/bytes.ts';
import { ManualClock, turn } from './support/manual-clock.ts';
import { optionsFor, Probe, type Told, Wire } from './support/wire.ts';

/** A server of plain bytes: what it does with each connection is up to the test. */
class ByteServer {
  readonly sockets: Socket[] = [];
  onSocket: (socket: Socket) => void = () => {};
  readonly #server: Server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on('error', () => {});
    this.onSocket(socket);
    // Without a reader the end of the stream would not be seen.
    socket.resume();
  });

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const realClock: ConnectionOptions['clock'] = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  afterPendingInput: (callback) => {
    setImmediate(callback);
  },
};

let server: ByteServer;
let told: Told;

beforeEach(async () => {
  server = new ByteServer();
  told = { events: [], closed: [], log: [] };
  await server.listen();
});

afterEach(() => server.stop());

function open(overrides: Partial<ConnectionOptions> = {}): Promise<Connection> {
  return Connection.open({
    ...optionsFor(new Wire(), new ManualClock(), told),
    target: overrides.target ?? { host: 'localhost', address: '127.0.0.1', port: server.port, tls: null },
    open: ({ address, port }) => openSocket({ host: address, port, noDelay: true }),
    clock: realClock,
    ...overrides,
  });
}

const answer =
  (...chunks: Buffer[]) =>
  (socket: Socket): void => {
    socket.once('data', () => {
      for (const chunk of chunks) socket.write(chunk);
    });
  };

async function settle(connecting: Promise<Connection>): Promise<unknown> {
  try {
    return await connecting;
  } catch (error) {
    return error;
  }
}

/** Until the server has seen the end of all its connections. */
async function allClosed(): Promise<void> {
  while (server.sockets.some((socket) => !socket.destroyed)) await turn();
}

describe('Connection.open', () => {
  it('sends a ConnectRequest as its first and only bytes, and grants what the server says', async () => {
    const seen: Buffer[] = [];
    server.onSocket = (socket) =>
      socket.on('data', (chunk: Buffer) => {
        seen.push(chunk);
        socket.write(connectResponse({ id: 0xfffffffffffffffen, timeout: 4_000, readOnly: true }));
      });
    const connection = await open({
      handshake: { lastZxidSeen: 7n, sessionTimeout: 9_000, sessionId: -3n, password: PASSWORD, readOnly: true },
    });
    expect(Buffer.concat(seen)).toEqual(frame(int(0), long(7n), int(9_000), long(-3n), bytes(PASSWORD), bool(true)));
    expect(connection.granted).toEqual({ sessionId: -2n, password: PASSWORD, sessionTimeout: 4_000, readOnly: true });
    expect(connection.localAddress).toBe('127.0.0.1');
    connection.destroy(zooKeeperError('CLOSED'));
    await allClosed();
  });

  it('takes a ConnectResponse that comes byte by byte, with the next frames behind it', async () => {
    const stream = Buffer.concat([connectResponse(), event(1, '/a')]);
    server.onSocket = (socket) => {
      socket.setNoDelay(true);
      socket.once('data', async () => {
        for (const byte of stream) {
          socket.write(Buffer.from([byte]));
          await turn();
        }
      });
    };
    const connection = await open();
    await turn();
    expect(told.events).toEqual([]);
    connection.start();
    while (told.events.length === 0) await turn();
    expect(told.log).toEqual(['event 1 /a']);
    connection.destroy(zooKeeperError('CLOSED'));
    await allClosed();
  });

  it.each([
    ['a session that is gone', [connectResponse({ timeout: 0, id: 0n })], 'SESSION_EXPIRED'],
    [
      'one in 34 bytes',
      [connectResponse({ timeout: 0, id: 0n, password: Buffer.alloc(14), readOnly: null })],
      'SESSION_EXPIRED',
    ],
    ['one in 21 bytes', [connectResponse({ timeout: 0, id: 0n, password: null })], 'SESSION_EXPIRED'],
    ['a refusal in 16 bytes', [reply(0, 5n, -119)], 'NOT_READ_ONLY'],
    ['protocol version 42', [connectResponse({ version: 42, timeout: 0 })], 'CONNECTION_LOSS'],
    ['HTTP', [Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')], 'PROTOCOL'],
    ['SSH', [Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')], 'PROTOCOL'],
    ['a frame of length 0', [int(0)], 'PROTOCOL'],
    ['a frame of a negative length', [int(-1)], 'PROTOCOL'],
    ['an end inside a field', [frame(int(0), int(4_000), long(1n), int(16), Buffer.alloc(9))], 'PROTOCOL'],
    ['a 16-byte frame without an error', [reply(0, 5n, 0)], 'PROTOCOL'],
  ])('rejects %s, and leaves no socket and no timer', async (_name, chunks, code) => {
    server.onSocket = answer(...chunks);
    const clock = new ManualClock();
    const error = await settle(open({ clock }));
    expect(error).toMatchObject({ code, operation: 'connect' });
    expect(clock.timers).toBe(0);
    await allClosed();
    expect(told.closed).toEqual([]);
  });

  it('names the server in what it says of one that speaks something else', async () => {
    server.onSocket = answer(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(String(await settle(open()))).toContain(`localhost:${server.port} (127.0.0.1)`);
    await allClosed();
  });

  it.each([
    ['at once', (socket: Socket) => socket.end()],
    ['after the ConnectRequest', (socket: Socket) => socket.once('data', () => socket.end())],
    ['by a reset', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['with a TLS alert', (socket: Socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 70]))],
    [
      'in the middle of its answer',
      (socket: Socket) => socket.once('data', () => socket.end(connectResponse().subarray(0, 11))),
    ],
  ])('rejects with CONNECTION_LOSS when the server closes %s', async (_name, end) => {
    server.onSocket = end;
    const clock = new ManualClock();
    expect(await settle(open({ clock }))).toMatchObject({ code: 'CONNECTION_LOSS', operation: 'connect' });
    expect(clock.timers).toBe(0);
    await allClosed();
  });

  it('rejects with CONNECTION_LOSS and the socket error as its cause when nobody listens', async () => {
    const { port } = server;
    await server.stop();
    const clock = new ManualClock();
    const target = { host: '127.0.0.1', address: '127.0.0.1', port, tls: null };
    const error = await settle(open({ clock, target }));
    await server.listen();
    expect(error).toMatchObject({ code: 'CONNECTION_LOSS', cause: { code: 'ECONNREFUSED' } });
    expect(String(error)).toContain(`127.0.0.1:${port}: `);
    expect(clock.timers).toBe(0);
  });

  it('rejects with CONNECTION_LOSS when no socket can be made', async () => {
    const cause = { code: 'ENOTSUP' };
    const clock = new ManualClock();
    const broken = (): never => {
      throw cause;
    };
    expect(await settle(open({ clock, open: broken }))).toMatchObject({ code: 'CONNECTION_LOSS', cause });
    expect(clock.timers).toBe(0);
  });

  it('rejects with TIMEOUT when the server takes the connection and says nothing', async () => {
    const clock = new ManualClock();
    const opening = settle(open({ clock, handshakeTimeout: 1_234 }));
    while (server.sockets.length === 0) await turn();
    await clock.advance(1_233);
    expect(server.sockets[0]?.destroyed).toBe(false);
    await clock.advance(1);
    expect(await opening).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('1234 ms') });
    expect(clock.timers).toBe(0);
    await allClosed();
  });

  it('rejects with TIMEOUT when the socket never opens', async () => {
    const clock = new ManualClock();
    const wire = new Wire();
    const opening = settle(open({ clock, open: () => wire.socket, handshakeTimeout: 100 }));
    await clock.advance(100);
    expect(await opening).toMatchObject({ code: 'TIMEOUT' });
    expect(wire.socket.destroyed).toBe(true);
  });

  it.each(['before it began', 'while the socket opens', 'while the server is silent'])(
    'rejects with the reason of its signal, %s',
    async (when) => {
      const clock = new ManualClock();
      const wire = new Wire();
      const giveUp = new AbortController();
      const reason = { my: 'reason' };
      if (when === 'before it began') giveUp.abort(reason);
      const options = {
        clock,
        signal: giveUp.signal,
        ...(when === 'while the socket opens' ? { open: () => wire.socket } : {}),
      };
      const opening = settle(open(options));
      if (when === 'while the server is silent') {
        while (server.sockets.length === 0 || server.sockets[0]?.bytesRead !== 49) await turn();
      }
      giveUp.abort(reason);
      expect(await opening).toBe(reason);
      expect(clock.timers).toBe(0);
      await allClosed();
    },
  );

  it('does not care for its signal any more once it has succeeded', async () => {
    server.onSocket = answer(connectResponse());
    const giveUp = new AbortController();
    const connection = await open({ signal: giveUp.signal });
    connection.start();
    giveUp.abort();
    await turn();
    expect(connection.closed).toBe(false);
    connection.destroy(zooKeeperError('CLOSED'));
    await allClosed();
  });

  it('notices a server that closes right behind its grant', async () => {
    server.onSocket = (socket) => socket.once('data', () => socket.end(connectResponse()));
    const connection = await open();
    connection.start();
    while (!connection.closed) await turn();
    expect(told.closed).toEqual([expect.objectContaining({ code: 'CONNECTION_LOSS' })]);
    await allClosed();
  });

  it('throws half a frame away when the connection breaks in the middle of a reply', async () => {
    const second = new Probe();
    server.onSocket = (socket) => {
      socket.once('data', () => {
        socket.write(connectResponse());
        socket.once('data', (chunk: Buffer) => {
          expect(framesOf(chunk)).toHaveLength(2);
          socket.end(Buffer.concat([reply(1, 4n, 0), reply(2, 5n, 0, bytes('x')).subarray(0, 18)]));
        });
      });
    };
    const connection = await open();
    connection.start();
    const first = new Probe();
    connection.send(first);
    connection.send(second);
    await expect(first.done).resolves.toMatchObject({ errno: 0 });
    await expect(second.done).rejects.toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(connection.lastZxid).toBe(4n);
    await allClosed();
  });

  it('is held back by a server that does not read, and told when it may go on', async () => {
    server.onSocket = (socket) => {
      socket.once('data', () => {
        socket.write(connectResponse());
        socket.pause();
      });
    };
    const connection = await open();
    connection.start();
    let sent = 0;
    while (!connection.congested && sent < 200) {
      connection.send(new Probe(5, Buffer.alloc(1_000_000)));
      sent += 1;
      await turn();
    }
    expect(connection.congested).toBe(true);
    expect(told.log).toEqual([]);
    server.sockets[0]?.on('data', () => {});
    server.sockets[0]?.resume();
    while (told.log.length === 0) await turn();
    expect(told.log[0]).toBe('drain');
    expect(connection.congested).toBe(false);
    connection.destroy(zooKeeperError('CLOSED'));
    await allClosed();
  });
});
