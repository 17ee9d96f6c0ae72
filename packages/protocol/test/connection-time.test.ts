import { describe, expect, it } from '@jest/globals';
import { zooKeeperError } from '../src/index.ts';
import { event, pong, reply } from './support/bytes.ts';
import { turn } from './support/manual-clock.ts';
import { type Opened, opened, Probe } from './support/wire.ts';

/** When frames were written, with what, for as long as `each` keeps the connection busy; the server answers pings at once. */
async function watchFrames(
  open: Opened,
  ms: number,
  step: number,
  each: (elapsed: number) => void,
  answerPings = true,
): Promise<{ at: number; ping: boolean }[]> {
  const seen: { at: number; ping: boolean }[] = [];
  let known = open.wire.requests.length;
  const start = open.clock.now();
  for (let elapsed = 0; elapsed < ms; elapsed += step) {
    each(elapsed);
    await open.clock.advance(step);
    const { requests } = open.wire;
    for (const { type } of requests.slice(known)) {
      seen.push({ at: open.clock.now() - start, ping: type === 11 });
      if (type === 11 && answerPings) open.wire.deliver(pong());
    }
    known = requests.length;
    await turn();
  }
  return seen;
}

const gaps = (times: number[]): number[] => times.slice(1).map((at, i) => at - (times[i] as number));

describe('pings', () => {
  it.each([
    [4_000, 4_000 / 3],
    [30_000, 10_000],
    [31_000, 10_000],
    [300_000, 10_000],
  ])('leave an idle connection of timeout %i at least every %d ms, and no more often', async (timeout, interval) => {
    const open = await opened({}, { timeout });
    const step = interval / 100;
    const frames = await watchFrames(open, 10 * interval, step, () => {});
    expect(frames.every(({ ping }) => ping)).toBe(true);
    expect(frames.length).toBeGreaterThanOrEqual(9);
    expect(frames.length).toBeLessThanOrEqual(10);
    expect(Math.max(...gaps(frames.map(({ at }) => at)))).toBeLessThanOrEqual(interval + 2 * step);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it.each([7, 31, 90, 101, 140])('never lag behind writes that come every %i ms', async (pace) => {
    // Timeout 300: something must leave at least every 100 ms.
    const open = await opened({}, { timeout: 300 });
    let next = 0;
    let answered = 0;
    const frames = await watchFrames(open, 3_000, 1, (elapsed) => {
      if (elapsed < next) return;
      next += pace;
      open.connection.send(new Probe());
      const xids = open.wire.requests.filter(({ xid }) => xid > 0).map(({ xid }) => xid);
      for (const xid of xids.slice(answered)) open.wire.deliver(reply(xid, 1n, 0));
      answered = xids.length;
    });
    expect(Math.max(...gaps(frames.map(({ at }) => at)))).toBeLessThanOrEqual(102);
    expect(open.told.closed).toEqual([]);
    // And they aren't sent where the writes do.
    if (pace < 100) expect(frames.filter(({ ping }) => ping).length).toBeLessThanOrEqual(1);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it('count as answered by the time at which they were sent', async () => {
    const open = await opened({}, { timeout: 3_000 });
    const { connection, wire, clock } = open;
    const handshakeSentAt = connection.answeredSentAt;
    await clock.advance(1_000);
    expect(wire.requests.map(({ xid }) => xid)).toEqual([-2]);
    await clock.advance(400);
    expect(connection.answeredSentAt).toBe(handshakeSentAt);
    wire.deliver(pong());
    expect(connection.answeredSentAt).toBe(handshakeSentAt + 1_000);
    expect(connection.lastReceived).toBe(handshakeSentAt + 1_400);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('answered late do not move the time back', async () => {
    const open = await opened({}, { timeout: 3_000 });
    const { connection, wire, clock } = open;
    connection.ping();
    await turn();
    await clock.advance(10);
    const probe = new Probe();
    connection.send(probe);
    await turn();
    wire.deliver(reply(1, 1n, 0));
    const best = connection.answeredSentAt;
    expect(best).toBe(probe.sentAt);
    wire.deliver(pong());
    expect(connection.answeredSentAt).toBe(best);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('are not counted by events or by replies that could not be matched', async () => {
    const open = await opened({}, { timeout: 3_000 });
    const before = open.connection.answeredSentAt;
    await open.clock.advance(500);
    open.connection.send(new Probe());
    await turn();
    open.wire.deliver(event(1, '/a'));
    await turn();
    open.wire.deliver(reply(9, 1n, 0));
    await turn();
    expect(open.connection.answeredSentAt).toBe(before);
  });
});

describe('silence', () => {
  it.each([300, 3_000, 30_000, 90_000])('ends a connection of timeout %i after two thirds of it', async (timeout) => {
    const open = await opened({}, { timeout });
    const probe = new Probe();
    const start = open.clock.now();
    await open.clock.advance((timeout * 2) / 3 - 2);
    open.connection.send(probe);
    expect(open.told.closed).toEqual([]);
    await open.clock.advance(4);
    expect(open.told.closed).toEqual([
      expect.objectContaining({ code: 'CONNECTION_LOSS', message: expect.stringContaining('no sign of life') }),
    ]);
    expect(probe.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(open.clock.now() - start).toBeLessThanOrEqual((timeout * 2) / 3 + 2);
    expect(open.clock.timers).toBe(0);
  });

  it('ends it under steady writes, too', async () => {
    const open = await opened({}, { timeout: 3_000 });
    const start = open.clock.now();
    while (open.told.closed.length === 0 && open.clock.now() < start + 5_000) {
      open.connection.send(new Probe());
      await open.clock.advance(25);
    }
    expect(open.clock.now() - start).toBeLessThanOrEqual(2_025);
  });

  it('ends it two thirds after the last byte, whatever that byte was', async () => {
    const open = await opened({}, { timeout: 3_000 });
    await open.clock.advance(1_500);
    open.wire.deliver(event(1, '/a').subarray(0, 1));
    const last = open.clock.now();
    await open.clock.advance(1_900);
    expect(open.told.closed).toEqual([]);
    while (open.told.closed.length === 0 && open.clock.now() < last + 5_000) await open.clock.advance(10);
    // A question must have been open for a third by then.
    expect(open.clock.now() - last).toBeLessThanOrEqual(3_000);
  });

  it('is no silence while the server answers at its leisure, within a third', async () => {
    const open = await opened({}, { timeout: 3_000 });
    let asked = 0;
    for (let i = 0; i < 200; i += 1) {
      await open.clock.advance(90);
      const { length } = open.wire.requests;
      if (length > asked && open.clock.now() % 900 < 90) {
        for (let n = asked; n < length; n += 1) open.wire.deliver(pong());
        asked = length;
      }
    }
    expect(asked).toBeGreaterThan(10);
    expect(open.told.closed).toEqual([]);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });
});

describe('an event loop that was blocked', () => {
  it('is no silence of the server: what waits in the socket is read first', async () => {
    const { connection, wire, clock, told } = await opened({}, { timeout: 3_000 });
    await clock.advance(1_000);
    expect(wire.requests).toHaveLength(1);
    const sentAt = clock.now();
    // The pong lies in the kernel's buffer while nothing runs.
    await clock.jump(2_700);
    expect(told.closed).toEqual([]);
    wire.deliver(pong());
    await clock.inputRead();
    expect(told.closed).toEqual([]);
    expect(connection.answeredSentAt).toBe(sentAt);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('is followed by the end when nothing had come meanwhile', async () => {
    const { wire, clock, told } = await opened({}, { timeout: 3_000 });
    await clock.advance(1_000);
    expect(wire.requests).toHaveLength(1);
    await clock.jump(2_700);
    expect(clock.waitingForInput).toBe(1);
    await clock.inputRead();
    expect(told.closed).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });

  it('just after an answered ping goes on with a ping', async () => {
    const { connection, wire, clock, told } = await opened({}, { timeout: 3_000 });
    await clock.advance(1_000);
    wire.deliver(pong());
    await turn();
    await clock.jump(2_700);
    await clock.inputRead();
    expect(told.closed).toEqual([]);
    expect(wire.requests.map(({ xid }) => xid)).toEqual([-2, -2]);
    wire.deliver(pong());
    await turn();
    expect(connection.answeredSentAt).toBe(clock.now());
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('is told to the owner before anything else happens', async () => {
    const log: string[] = [];
    const { connection, wire, clock } = await opened(
      {
        handlers: {
          onWake: () => log.push(`wake after ${wire?.requests.length ?? 0} requests`),
          onInputRead: () => {},
          onNotification: () => {},
          onDrain: () => {},
          onClosed: (cause) => cause,
        },
      },
      { timeout: 3_000 },
    );
    log.length = 0;
    await clock.jump(1_500);
    expect(log).toEqual(['wake after 0 requests']);
    expect(wire.requests).toHaveLength(1);
    connection.destroy(zooKeeperError('CLOSED'));
  });
});

describe('requestTimeout', () => {
  const timeouts = { requestTimeout: 500 };

  it('ends the connection when one request is not answered for so long, though pings are', async () => {
    const open = await opened(timeouts, { timeout: 3_000 });
    const { connection, wire, clock, told } = open;
    await clock.advance(700);
    const probe = new Probe();
    const later = new Probe();
    connection.send(probe);
    await clock.advance(200);
    connection.send(later);
    connection.ping();
    await turn();
    wire.deliver(pong());
    await clock.advance(298);
    expect(told.closed).toEqual([]);
    await clock.advance(4);
    expect(told.closed).toEqual([expect.objectContaining({ code: 'CONNECTION_LOSS' })]);
    expect(told.closed[0]?.cause).toMatchObject({ code: 'REQUEST_TIMEOUT', errno: -122 });
    expect(probe.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(later.failure).toMatchObject({ code: 'CONNECTION_LOSS' });
    expect(clock.timers).toBe(0);
  });

  it('counts for each request from its own sending', async () => {
    const open = await opened(timeouts, { timeout: 3_000 });
    const { connection, wire, clock, told } = open;
    for (let xid = 1; xid <= 10; xid += 1) {
      connection.send(new Probe());
      await clock.advance(240);
      if (xid > 1) wire.deliver(reply(xid - 1, 1n, 0));
      await turn();
    }
    expect(told.closed).toEqual([]);
    await clock.advance(262);
    expect(told.closed).toHaveLength(1);
  });

  it('is no reason to ping more often, and none to end an idle connection', async () => {
    const open = await opened(timeouts, { timeout: 3_000 });
    const frames = await watchFrames(open, 10_000, 10, () => {});
    expect(frames.length).toBeLessThanOrEqual(10);
    expect(open.told.closed).toEqual([]);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it('reads what waits in the socket first after a blocked event loop', async () => {
    const { connection, wire, clock, told } = await opened(timeouts, { timeout: 30_000 });
    const probe = new Probe();
    connection.send(probe);
    await turn();
    await clock.jump(2_000);
    wire.deliver(reply(1, 1n, 0));
    await clock.inputRead();
    expect(told.closed).toEqual([]);
    expect(probe.answer).not.toBeNull();
    connection.destroy(zooKeeperError('CLOSED'));
  });
});
