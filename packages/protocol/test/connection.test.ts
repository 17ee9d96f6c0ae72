import { describe, expect, it } from '@jest/globals';
import { OpCode, Xid, zooKeeperError } from '../src/index.ts';
import { bytes, event, frame, int, long, pong, reply } from './support/bytes.ts';
import { turn } from './support/manual-clock.ts';
import { opened, Probe } from './support/wire.ts';

describe('what a connection sends', () => {
  it('leaves in one write a tick, in the order of the calls', async () => {
    const { connection, wire } = await opened();
    const before = wire.writes.length;
    for (let i = 0; i < 50; i += 1) connection.send(new Probe(4, Buffer.from([i])));
    connection.ping();
    await Promise.resolve();
    connection.send(new Probe(3));
    await turn();
    expect(wire.writes.length - before).toBe(1);
    expect(wire.requests).toEqual([
      ...Array.from({ length: 50 }, (_, i) => ({ xid: i + 1, type: 4, body: Buffer.from([i]) })),
      { xid: -2, type: 11, body: Buffer.alloc(0) },
      { xid: 51, type: 3, body: Buffer.alloc(0) },
    ]);
    connection.send(new Probe());
    await turn();
    expect(wire.writes.length - before).toBe(2);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('has the bytes of the protocol', async () => {
    const { connection, wire } = await opened({ firstXid: 7 });
    connection.send(new Probe(OpCode.getData, Buffer.concat([bytes('/é'), Buffer.from([1])])));
    connection.ping();
    connection.sendSpecial(new Probe(OpCode.auth, Buffer.concat([int(0), bytes('digest'), bytes('a:b')])), Xid.auth);
    connection.sendSpecial(new Probe(OpCode.setWatches, long(5n)), Xid.setWatches);
    await turn();
    expect(wire.writes.at(-1)).toEqual(
      Buffer.concat([
        frame(int(7), int(4), bytes('/é'), Buffer.from([1])),
        frame(int(-2), int(11)),
        frame(int(-4), int(100), int(0), bytes('digest'), bytes('a:b')),
        frame(int(-8), int(101), long(5n)),
      ]),
    );
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('numbers its requests from firstXid to 2^31 - 1, and starts again at 1', async () => {
    const { connection, wire } = await opened({ firstXid: 2 ** 31 - 2 });
    const probes = Array.from({ length: 5 }, () => new Probe());
    for (const probe of probes) connection.send(probe);
    await turn();
    expect(wire.requests.map(({ xid }) => xid)).toEqual([2147483646, 2147483647, 1, 2, 3]);
    wire.deliver(Buffer.concat([2147483646, 2147483647, 1, 2, 3].map((xid) => reply(xid, 9n, 0, int(xid)))));
    await turn();
    expect(probes.map(({ answer }) => answer?.body.readInt32BE(0))).toEqual([2147483646, 2147483647, 1, 2, 3]);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('uses up no number for special requests, or for one that could not be written', async () => {
    const { connection, wire } = await opened({ maxRequestBytes: 64 });
    const broken = new Probe(5);
    broken.write = (writer) => {
      writer.writeInt(1);
      throw new Error('not to be written');
    };
    connection.send(new Probe(1));
    expect(() => connection.send(broken)).toThrow('not to be written');
    expect(() => connection.send(new Probe(5, Buffer.alloc(57)))).toThrow(
      expect.objectContaining({ code: 'REQUEST_TOO_LARGE' }),
    );
    connection.sendSpecial(new Probe(100), Xid.auth);
    // Header and body together may have the limit exactly.
    connection.send(new Probe(2, Buffer.alloc(56)));
    await turn();
    expect(wire.requests.map(({ xid, type }) => [xid, type])).toEqual([
      [1, 1],
      [-4, 100],
      [2, 2],
    ]);
    expect(connection.inFlight).toBe(2);
    connection.send(new Probe());
    await turn();
    expect(wire.requests.at(-1)?.xid).toBe(3);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('goes out before the end of the tick when very much of it has gathered, in order and whole', async () => {
    const { connection, wire } = await opened();
    const before = wire.writes.length;
    for (let i = 0; i < 5; i += 1) connection.send(new Probe(5, Buffer.alloc(500_000, i)));
    expect(wire.writes.length - before).toBeGreaterThan(0);
    await turn();
    expect(wire.requests.map(({ xid, body }) => [xid, body.length, body[0], body.at(-1)])).toEqual(
      [0, 1, 2, 3, 4].map((i) => [i + 1, 500_000, i, i]),
    );
    connection.destroy(zooKeeperError('CLOSED'));
  });
});

describe('what a connection receives', () => {
  it('is matched to the requests in order', async () => {
    const { connection, wire } = await opened();
    const probes = Array.from({ length: 100 }, () => new Probe());
    const order: number[] = [];
    for (const [index, probe] of probes.entries()) {
      connection.send(probe);
      probe.done.then(
        () => order.push(index),
        () => {},
      );
    }
    await turn();
    wire.deliver(Buffer.concat(probes.map((_, i) => reply(i + 1, BigInt(i + 1), i % 2 === 0 ? 0 : -101, int(i)))));
    await turn();
    expect(order).toEqual(probes.map((_, i) => i));
    expect(probes.map(({ answer }) => answer?.errno)).toEqual(probes.map((_, i) => (i % 2 === 0 ? 0 : -101)));
    expect(probes.map(({ answer }) => answer?.body)).toEqual(probes.map((_, i) => int(i)));
    expect(connection.inFlight).toBe(0);
    expect(connection.lastZxid).toBe(100n);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('may be split at any byte', async () => {
    const { connection, wire, told } = await opened();
    const length = Buffer.concat([reply(1, 5n, 0, bytes('x')), event(3, '/a'), pong(), reply(2, 6n, -101)]).length;
    let sent = 0;
    for (let at = 0; at <= length; at += 1) {
      const first = new Probe();
      const second = new Probe();
      connection.send(first);
      connection.send(second);
      const [a, b] = [sent + 1, sent + 2];
      sent += 2;
      const part = Buffer.concat([reply(a, 5n, 0, bytes('x')), event(3, '/a'), pong(), reply(b, 6n, -101)]);
      wire.deliver(part.subarray(0, at));
      await turn();
      wire.deliver(part.subarray(at));
      await turn();
      expect(first.answer).toEqual({ errno: 0, body: bytes('x') });
      expect(second.answer).toEqual({ errno: -101, body: Buffer.alloc(0) });
    }
    expect(told.events).toHaveLength(length + 1);
    expect(told.closed).toEqual([]);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('may come in the same chunk as the ConnectResponse, or before the owner is ready', async () => {
    const { connection, wire, told } = await opened(
      {},
      {},
      Buffer.concat([event(1, '/a'), event(2, '/b').subarray(0, 9)]),
    );
    wire.deliver(event(2, '/b').subarray(9));
    await turn();
    expect(told.log).toEqual(['event 1 /a', 'event 2 /b']);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it.each([
    ['another than the first that waits', () => reply(2, 5n, 0)],
    ['none that was sent', () => reply(77, 5n, 0)],
    ['0', () => reply(0, 5n, 0)],
    ['that of setWatches, which was not sent', () => reply(-8, 5n, 0)],
    ['that of auth, which was not sent', () => reply(-4, 0n, 0)],
  ])('with an xid that is %s ends the connection', async (_name, wrong) => {
    const { connection, wire, told } = await opened();
    const probes = [new Probe(), new Probe()];
    for (const probe of probes) connection.send(probe);
    await turn();
    wire.deliver(wrong());
    await turn();
    expect(told.closed).toEqual([expect.objectContaining({ code: 'CONNECTION_LOSS' })]);
    expect(told.closed[0]?.cause).toMatchObject({ code: 'PROTOCOL' });
    for (const probe of probes) expect(probe.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(connection.closed).toBe(true);
    expect(wire.socket.destroyed).toBe(true);
    expect(connection.lastZxid).toBe(0n);
  });

  it('has replies to auth out of order, and to setWatches in order', async () => {
    const { connection, wire } = await opened();
    const log: string[] = [];
    const named = (name: string): Probe => {
      const probe = new Probe();
      probe.done.then(
        () => log.push(name),
        () => {},
      );
      return probe;
    };
    connection.sendSpecial(named('auth 1'), Xid.auth);
    connection.sendSpecial(named('auth 2'), Xid.auth);
    connection.send(named('call'));
    connection.sendSpecial(named('watches'), Xid.setWatches);
    await turn();
    wire.deliver(Buffer.concat([reply(1, 3n, 0), reply(-4, 0n, 0), reply(-8, 4n, 0), reply(-4, 0n, -115)]));
    await turn();
    expect(log).toEqual(['call', 'auth 1', 'watches', 'auth 2']);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('may be a ping reply to nobody', async () => {
    const { connection, wire, told } = await opened();
    wire.deliver(Buffer.concat([pong(), pong(9n)]));
    await turn();
    expect(told.closed).toEqual([]);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('with a body that cannot be read fails that call and ends the connection', async () => {
    const { connection, wire, told } = await opened();
    const first = new Probe();
    const unreadable = new Probe();
    const last = new Probe();
    unreadable.onReply = (_errno, reader) => reader.readLong('Stat.czxid');
    for (const probe of [first, unreadable, last]) connection.send(probe);
    await turn();
    // The next good reply in the same chunk is not looked at any more.
    wire.deliver(Buffer.concat([reply(1, 5n, 0), reply(2, 6n, 0, int(1)), reply(3, 7n, 0)]));
    await turn();
    expect(first.answer).not.toBeNull();
    expect(unreadable.failure).toMatchObject({ code: 'CONNECTION_LOSS', cause: { name: 'JuteError' } });
    expect(last.answer).toBeNull();
    expect(last.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(told.closed).toHaveLength(1);
    expect(connection.closed).toBe(true);
    expect(wire.socket.destroyed).toBe(true);
  });

  it.each([
    ['an event that cannot be read', reply(-1, -1n, 0, int(1))],
    ['a frame of 20 bytes', frame(Buffer.alloc(20, 0xee))],
    ['a frame that ends in the header', frame(int(1), int(0))],
    ['a frame of 3 bytes', frame(Buffer.alloc(3))],
    ['a frame of length 0', int(0)],
    ['a frame of a negative length', int(-5)],
  ])('and is %s: the connection ends, once, and nothing is thrown', async (_name, odd) => {
    const { connection, wire, told } = await opened();
    const probe = new Probe();
    connection.send(probe);
    await turn();
    wire.deliver(odd);
    wire.deliver(odd);
    await turn();
    expect(told.closed).toEqual([expect.objectContaining({ code: 'CONNECTION_LOSS' })]);
    expect(probe.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(wire.socket.destroyed).toBe(true);
    expect(connection.closed).toBe(true);
  });

  it('is skipped when it is over maxResponseBytes: that call fails, the connection stays', async () => {
    const { connection, wire, told } = await opened({ maxResponseBytes: 100 });
    const probes = [new Probe(), new Probe(), new Probe(), new Probe()];
    for (const probe of probes) connection.send(probe);
    await turn();
    const stream = Buffer.concat([
      reply(1, 5n, 0, Buffer.alloc(84)),
      reply(2, 6n, 0, Buffer.alloc(85)),
      reply(3, 7n, 0, Buffer.alloc(100_000)),
      reply(4, 8n, 0, int(4)),
    ]);
    for (let at = 0; at < stream.length; at += 7_777) wire.deliver(stream.subarray(at, at + 7_777));
    await turn();
    expect(probes.map((probe) => probe.answer?.errno ?? probe.failure?.code)).toEqual([
      0,
      'RESPONSE_TOO_LARGE',
      'RESPONSE_TOO_LARGE',
      0,
    ]);
    expect(told.closed).toEqual([]);
    expect(connection.inFlight).toBe(0);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('over maxResponseBytes and not the reply that is awaited ends the connection', async () => {
    const { connection, wire, told } = await opened({ maxResponseBytes: 100 });
    const probe = new Probe();
    connection.send(probe);
    await turn();
    wire.deliver(reply(2, 5n, 0, Buffer.alloc(200)));
    await turn();
    expect(told.closed).toHaveLength(1);
    expect(probe.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(connection.closed).toBe(true);
  });
});

describe('lastZxid', () => {
  it('is that of ordinary replies alone, and never one of 0 or below', async () => {
    const { connection, wire } = await opened();
    connection.sendSpecial(new Probe(), Xid.auth);
    const zxids = [5n, 0n, -1n, -(2n ** 62n), 0x1_0000_0000n, 2n ** 63n - 1n];
    const expected = [5n, 5n, 5n, 5n, 0x1_0000_0000n, 2n ** 63n - 1n];
    const probes = zxids.map(() => new Probe());
    for (const probe of probes) connection.send(probe);
    await turn();
    expect(connection.lastZxid).toBe(0n);
    wire.deliver(
      Buffer.concat([event(1, '/a', -1n), event(3, '/a', 2n ** 62n), reply(-4, 2n ** 62n, 0), pong(2n ** 62n)]),
    );
    await turn();
    expect(connection.lastZxid).toBe(0n);
    for (const [index, zxid] of zxids.entries()) {
      wire.deliver(Buffer.concat([reply(index + 1, zxid, index === 2 ? -6 : 0), event(3, '/a', 2n ** 62n)]));
      await turn();
      expect(connection.lastZxid).toBe(expected[index]);
    }
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('is that of a failed call, too, and of setWatches', async () => {
    const { connection, wire } = await opened();
    connection.send(new Probe());
    connection.sendSpecial(new Probe(), Xid.setWatches);
    await turn();
    wire.deliver(reply(1, 0xffff_ffffn, -101));
    await turn();
    expect(connection.lastZxid).toBe(0xffff_ffffn);
    wire.deliver(reply(-8, 0x2_8000_0000n, 0));
    await turn();
    expect(connection.lastZxid).toBe(0x2_8000_0000n);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('is not taken from a reply that could not be matched', async () => {
    const { connection, wire } = await opened();
    connection.send(new Probe());
    await turn();
    wire.deliver(reply(2, 99n, 0));
    await turn();
    expect(connection.lastZxid).toBe(0n);
  });
});

describe('the end of a connection', () => {
  it('comes with the end of the stream, an error of the socket, or its close', async () => {
    for (const end of [
      (socket: { push(chunk: null): unknown }) => socket.push(null),
      (socket: { destroy(error: Error): unknown }) => socket.destroy(new Error('reset')),
      (socket: { destroy(): unknown }) => socket.destroy(),
    ]) {
      const { connection, wire, told } = await opened();
      const probe = new Probe();
      const auth = new Probe();
      connection.send(probe);
      connection.sendSpecial(auth, Xid.auth);
      end(wire.socket as never);
      await turn();
      expect(told.closed).toEqual([expect.objectContaining({ code: 'CONNECTION_LOSS' })]);
      expect(told.closed[0]?.message).toContain('zk.example:2181 (192.0.2.1)');
      expect(probe.failure).toBe(told.closed[0]);
      expect(auth.failure).toBe(told.closed[0]);
      expect([connection.closed, wire.socket.destroyed, connection.inFlight]).toEqual([true, true, 0]);
    }
  });

  it('says of each request whether it had left', async () => {
    const { connection } = await opened({ maxRequestBytes: 4 << 20 });
    const probes = [new Probe(), new Probe(5, Buffer.alloc((1 << 20) + 1)), new Probe()] as const;
    connection.send(probes[0]);
    await turn();
    // So large that it is not kept back until the end of the tick.
    connection.send(probes[1]);
    connection.send(probes[2]);
    connection.destroy(zooKeeperError('CLOSED'));
    expect(probes.map(({ wasSent }) => wasSent)).toEqual([true, true, false]);
  });

  it('is told before the requests in flight fail, in order', async () => {
    const { connection, told } = await opened();
    const log = told.log;
    for (const name of ['a', 'b', 'c']) {
      const probe = new Probe();
      probe.onFailure = (cause) => log.push(`${name} ${cause.code}`);
      connection.send(probe);
    }
    connection.destroy(zooKeeperError('SESSION_EXPIRED'));
    expect(log).toEqual(['closed', 'a SESSION_EXPIRED', 'b SESSION_EXPIRED', 'c SESSION_EXPIRED']);
    connection.destroy(zooKeeperError('CLOSED'));
    expect(told.closed).toHaveLength(1);
  });

  it('lets its owner say with which error the requests in flight fail', async () => {
    const better = zooKeeperError('SESSION_EXPIRED');
    const { connection, wire } = await opened({
      handlers: {
        onWake: () => {},
        onInputRead: () => {},
        onNotification: () => {},
        onDrain: () => {},
        onClosed: () => better,
      },
    });
    const probe = new Probe();
    const auth = new Probe();
    connection.send(probe);
    connection.sendSpecial(auth, Xid.auth);
    wire.end();
    await turn();
    expect([probe.failure, auth.failure]).toEqual([better, better]);
  });

  it('leaves no timer, writes nothing more and hears nothing more', async () => {
    const { connection, wire, clock, told } = await opened();
    const written = wire.writes.length;
    connection.send(new Probe());
    connection.destroy(zooKeeperError('CLOSED'));
    wire.socket.emit('data', event(1, '/late'));
    wire.socket.emit('error', new Error('late'));
    await turn();
    expect(wire.writes).toHaveLength(written);
    expect(clock.timers).toBe(0);
    expect(told.events).toEqual([]);
    expect(told.closed).toHaveLength(1);
  });

  it('in the middle of a chunk stops there', async () => {
    const { connection, wire, told } = await opened();
    const first = new Probe();
    const second = new Probe();
    first.onReply = () => connection.destroy(zooKeeperError('CLOSED'));
    connection.send(first);
    connection.send(second);
    await turn();
    wire.deliver(Buffer.concat([reply(1, 1n, 0), reply(2, 2n, 0), event(1, '/a')]));
    await turn();
    expect(second.failure).toMatchObject({ code: 'CLOSED' });
    expect(told.events).toEqual([]);
  });
});
