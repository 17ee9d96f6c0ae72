import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from '../src/fault-proxy/fault-proxy.ts';
import { connectRequest, FramedServer, frame, Peer, reply, until } from './framed-peers.ts';
import { create, getData, PING, seen, useProxy } from './use-proxy.ts';

const proxied = useProxy();

describe('a healthy link', () => {
  it('passes everything on, byte by byte as well as in one piece', async () => {
    const peer = await proxied.client();
    for (const byte of Buffer.concat([create(1), PING])) peer.socket.write(Buffer.from([byte]));
    peer.socket.write(Buffer.concat([getData(2), getData(3)]));
    await until(() => peer.xids, seen(4));
    expect(peer.xids).toEqual([1, -2, 2, 3]);
    expect(proxied.server.requests).toEqual(['1:1', '-2:11', '2:4', '3:4']);
    expect(proxied.proxy.connections).toBe(1);
  });

  it('passes on a partial frame while no rule waits', async () => {
    const peer = await proxied.client();
    peer.socket.write(create(1).subarray(0, 6));
    await until(
      () => proxied.server.peer.received.length,
      (length) => length === connectRequest.length + 6,
    );
    peer.socket.write(create(1).subarray(6));
    await until(() => proxied.server.requests, seen(1));
    expect(proxied.server.requests).toEqual(['1:1']);
  });

  it('passes 4-letter words and other things that are not frames, rules or not', async () => {
    proxied.server.answers = false;
    void proxied.proxy.once({ opcode: 'connect', direction: 'request', action: 'drop' }).catch(() => {});
    void proxied.proxy.once({ opcode: 'connect', direction: 'reply', action: 'drop' }).catch(() => {});
    const peer = await proxied.client({ handshake: false });
    peer.socket.write('srvr');
    await until(
      () => String(proxied.server.peers[0]?.received),
      (text) => text === 'srvr',
    );
    proxied.server.peer.socket.end('Mode: standalone');
    await peer.closed();
    expect(String(peer.received)).toBe('Mode: standalone');
    expect(peer.errorCode).toBeUndefined();
  });

  it('gives up on frames, not on bytes, when a length is absurd', async () => {
    proxied.server.answers = false;
    const peer = await proxied.client({ handshake: false });
    peer.socket.write(Buffer.concat([connectRequest, frame(1, 4).fill(0xff, 0, 4)]));
    await until(
      () => proxied.server.peers[0]?.received.length,
      (length) => length === connectRequest.length + 12,
    );
    proxied.server.peer.socket.write('anything');
    await until(
      () => String(peer.received),
      (text) => text === 'anything',
    );
  });

  it('passes on ends and resets as what they are', async () => {
    const first = await proxied.client();
    first.socket.end();
    await first.closed();
    await proxied.server.peer.closed();
    expect(proxied.server.peer.errorCode).toBeUndefined();

    const second = await proxied.client();
    second.socket.resetAndDestroy();
    await proxied.server.peers[1]!.closed();
    expect(proxied.server.peers[1]!.errorCode).toBe('ECONNRESET');
    await until(
      () => proxied.proxy.connections,
      (count) => count === 0,
    );
  });

  it('resets a client whose server is not there', async () => {
    await proxied.server.stop();
    const peer = await proxied.client({ handshake: false });
    await peer.closed();
    expect(peer.received).toHaveLength(0);
    proxied.server = await FramedServer.start();
  });

  it('makes a sender wait for a receiver that does not read', async () => {
    proxied.server.answers = false;
    proxied.server.isReading = false;
    const peer = await proxied.client({ handshake: false });
    // More than all the kernel's buffers on the way can hold.
    const piece = Buffer.alloc(64 * 1024, 'abcdefg');
    const pieces = 1024;
    let sent = 0;
    const send = (): void => {
      while (sent < pieces && peer.socket.write(piece)) sent += 1;
    };
    peer.socket.on('drain', () => {
      sent += 1;
      send();
    });
    send();
    for (let last = -1, quiet = 0; quiet < 10; quiet = sent === last ? quiet + 1 : 0) {
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(sent).toBeLessThan(pieces);
    let received = 0;
    proxied.server.peer.socket.removeAllListeners('data');
    proxied.server.peer.socket.on('data', (chunk) => {
      received += chunk.length;
    });
    proxied.server.peer.socket.resume();
    await until(
      () => received,
      (length) => length === pieces * piece.length,
    );
  });

  it('sends new connections to another target, the old ones stay', async () => {
    const other = await FramedServer.start();
    try {
      const before = await proxied.client();
      proxied.proxy.target = other.address;
      expect(proxied.proxy.target).toBe(other.address);
      const after = await proxied.client();
      before.socket.write(create(1));
      after.socket.write(create(2));
      await until(() => proxied.server.requests, seen(1));
      await until(() => other.requests, seen(1));
      expect([proxied.server.requests, other.requests]).toEqual([['1:1'], ['2:1']]);
      await proxied.proxy.cut();
    } finally {
      await other.stop();
    }
  });

  it.each(['localhost', 'a:1,b:2', 'a:1/x', 'a:0', ':1', ''])('refuses %j for a target', async (target) => {
    await expect(FaultProxy.start(target)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('cut and refuse', () => {
  it('cut resets both sides; new connections are welcome', async () => {
    const peer = await proxied.client();
    await proxied.proxy.cut();
    expect(proxied.proxy.connections).toBe(0);
    await peer.closed();
    await proxied.server.peer.closed();
    expect([peer.errorCode, proxied.server.peer.errorCode]).toEqual(['ECONNRESET', 'ECONNRESET']);
    await proxied.client();
    expect(proxied.proxy.connections).toBe(1);
  });

  it('cut({ stay }) refuses until restore, on the same port', async () => {
    const peer = await proxied.client();
    const { port } = proxied.proxy;
    await proxied.proxy.cut({ stay: true });
    await peer.closed();
    await expect(Peer.to(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxied.proxy.restore();
    expect(proxied.proxy.port).toBe(port);
    await proxied.client();
  });

  it('refuse leaves the living alone', async () => {
    const peer = await proxied.client();
    await proxied.proxy.refuse();
    await expect(Peer.to(proxied.proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    peer.socket.write(create(1));
    await until(() => peer.xids, seen(1));
    await proxied.proxy.restore();
    await proxied.client();
    expect(proxied.proxy.connections).toBe(2);
  });
});

describe('blackhole', () => {
  it('swallows, and resets at restore only who lost something', async () => {
    const sender = await proxied.client();
    const silent = await proxied.client();
    await proxied.proxy.blackhole();
    sender.socket.write(create(1));
    const newcomer = await proxied.client({ handshake: false });
    newcomer.socket.write(connectRequest);
    const quiet = await proxied.client({ handshake: false });
    // Only a round trip through another proxy on the same loop shows that those bytes have been read and lost.
    await roundTrip();
    expect(proxied.proxy.connections).toBe(4);
    expect(proxied.server.peers).toHaveLength(2);
    expect([sender, silent, newcomer, quiet].map((peer) => peer.isClosed)).toEqual([false, false, false, false]);

    await proxied.proxy.restore();
    await sender.closed();
    await newcomer.closed();
    await proxied.server.peer.closed();
    expect(proxied.server.requests).toEqual([]);
    silent.socket.write(create(2));
    await until(() => silent.xids, seen(1));
    quiet.socket.write(connectRequest);
    await until(() => quiet.frames, seen(1));
    expect(proxied.proxy.connections).toBe(2);
  });

  it('swallows closes too: the other side does not hear of them before restore', async () => {
    const peer = await proxied.client();
    await proxied.proxy.blackhole();
    peer.socket.destroy();
    await until(
      () => proxied.proxy.connections,
      (count) => count === 0,
    );
    expect(proxied.server.peer.isEnded || proxied.server.peer.isClosed).toBe(false);
    await proxied.proxy.restore();
    await proxied.server.peer.closed();
  });

  it('keeps, and delivers in order at restore', async () => {
    const peer = await proxied.client();
    await proxied.proxy.blackhole({ keep: true });
    peer.socket.write(create(1));
    proxied.server.peer.socket.write(reply(-1, 'an event'));
    const newcomer = await proxied.client({ handshake: false });
    newcomer.socket.write(connectRequest);
    await roundTrip();
    peer.socket.write(create(2));
    await roundTrip();
    expect(proxied.server.requests).toEqual([]);
    expect(peer.xids).toEqual([]);
    expect(proxied.server.peers).toHaveLength(1);

    await proxied.proxy.restore();
    await until(() => peer.xids, seen(3));
    expect(proxied.server.requests).toEqual(['1:1', '2:1']);
    expect(peer.xids).toEqual([-1, 1, 2]);
    await until(() => newcomer.frames, seen(1));
  });

  async function roundTrip(): Promise<void> {
    const other = await FaultProxy.start(proxied.server.address);
    const echo = await FramedServer.start();
    other.target = echo.address;
    const peer = await Peer.to(other.port);
    peer.socket.write(connectRequest);
    await until(() => peer.frames, seen(1));
    peer.socket.destroy();
    await other.stop();
    await echo.stop();
  }
});

describe('delay', () => {
  it('delays both ways and keeps the order, also when it becomes shorter', async () => {
    const peer = await proxied.client();
    await proxied.proxy.delay(60);
    const start = performance.now();
    peer.socket.write(create(1));
    await until(() => peer.xids, seen(1));
    expect(performance.now() - start).toBeGreaterThanOrEqual(119);

    await proxied.proxy.delay(60_000);
    peer.socket.write(create(2));
    peer.socket.write(create(3));
    await proxied.proxy.delay(1);
    peer.socket.write(create(4));
    await until(() => peer.xids, seen(4));
    expect(peer.xids).toEqual([1, 2, 3, 4]);
    expect(proxied.server.requests).toEqual(['1:1', '2:1', '3:1', '4:1']);
  });

  it('restore ends it, for what is under way too', async () => {
    const peer = await proxied.client();
    await proxied.proxy.delay(60_000);
    peer.socket.write(create(1));
    await proxied.proxy.restore();
    await until(() => peer.xids, seen(1));
  });
});

it('stop closes everything, twice if need be, and rejects the rules that wait', async () => {
  const peer = await proxied.client();
  const rule = proxied.proxy.once({ opcode: 'create', direction: 'reply', action: 'cut' });
  await Promise.all([proxied.proxy.stop(), proxied.proxy.stop()]);
  await expect(rule).rejects.toThrow('stopped');
  await expect(proxied.proxy.once({ opcode: 'create', direction: 'reply', action: 'cut' })).rejects.toThrow('stopped');
  await peer.closed();
  await expect(Peer.to(proxied.proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxied.proxy.restore();
  await expect(Peer.to(proxied.proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
