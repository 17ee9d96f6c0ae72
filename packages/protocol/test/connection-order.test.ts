import { describe, expect, it } from '@jest/globals';
import { type Connection, type ZooKeeperError, zooKeeperError } from '../src/index.ts';
import { event, int, pong, reply } from './support/bytes.ts';
import { turn } from './support/manual-clock.ts';
import { type Opened, opened, Probe } from './support/wire.ts';

/** A call whose continuation is several awaits long. */
async function follow({ connection, told }: Opened, name: string): Promise<void> {
  const probe = new Probe();
  connection.send(probe);
  await probe.done;
  told.log.push(`${name} 1`);
  await Promise.resolve();
  await Promise.resolve().then(() => Promise.resolve());
  for (let i = 0; i < 20; i += 1) await null;
  told.log.push(`${name} 2`);
}

describe('a watch event and the continuation of a reply', () => {
  it('in one chunk, reply first: all of the continuation runs before the listener', async () => {
    const open = await opened();
    const done = follow(open, 'read');
    await turn();
    open.wire.deliver(Buffer.concat([reply(1, 5n, 0), event(3, '/a')]));
    await done;
    await turn();
    expect(open.told.log).toEqual(['read 1', 'read 2', 'event 3 /a']);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it('in one chunk, event first: the listener runs before the continuation', async () => {
    const open = await opened();
    const done = follow(open, 'read');
    await turn();
    open.wire.deliver(Buffer.concat([event(3, '/a'), reply(1, 5n, 0)]));
    await done;
    expect(open.told.log).toEqual(['event 3 /a', 'read 1', 'read 2']);
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it('in one chunk, alternating, keep the order of the stream', async () => {
    const open = await opened();
    const done = Promise.all(['a', 'b', 'c', 'd'].map((name) => follow(open, name)));
    await turn();
    const stream = Buffer.concat([
      event(1, '/1'),
      reply(1, 1n, 0),
      event(1, '/2'),
      event(1, '/3'),
      reply(2, 2n, 0),
      reply(3, 3n, 0),
      pong(),
      event(1, '/4'),
      reply(4, 4n, 0),
      event(1, '/5'),
    ]);
    open.wire.deliver(stream);
    await done;
    await turn();
    // b and c came without an event between them: only their own order is promised.
    expect(open.told.log.filter((line) => !/^[bc]/.test(line))).toEqual([
      'event 1 /1',
      'a 1',
      'a 2',
      'event 1 /2',
      'event 1 /3',
      'event 1 /4',
      'd 1',
      'd 2',
      'event 1 /5',
    ]);
    const at = (line: string): number => open.told.log.indexOf(line);
    for (const line of ['b 1', 'b 2', 'c 1', 'c 2']) {
      expect(at(line)).toBeGreaterThan(at('event 1 /3'));
      expect(at(line)).toBeLessThan(at('event 1 /4'));
    }
    expect(at('b 1')).toBeLessThan(at('c 1'));
    open.connection.destroy(zooKeeperError('CLOSED'));
  });

  it('in chunks of any size that are delivered within one tick, keep the order of the stream', async () => {
    const stream = Buffer.concat([reply(1, 5n, 0), event(3, '/a'), reply(2, 6n, 0), event(3, '/b')]);
    for (let at = 0; at <= stream.length; at += 1) {
      const open = await opened();
      const done = Promise.all([follow(open, 'read'), follow(open, 'again')]);
      await turn();
      open.wire.deliver(stream.subarray(0, at));
      open.wire.deliver(stream.subarray(at));
      await done;
      await turn();
      expect([at, ...open.told.log]).toEqual([
        at,
        'read 1',
        'read 2',
        'event 3 /a',
        'again 1',
        'again 2',
        'event 3 /b',
      ]);
      open.connection.destroy(zooKeeperError('CLOSED'));
    }
  });

  it('keep their order when more chunks arrive while the event waits for the continuation', async () => {
    const open = await opened();
    const { connection, told, wire } = open;
    const first = new Probe();
    connection.send(first);
    const second = follow(open, 'second');
    await turn();
    const done = first.done.then(() => {
      told.log.push('first');
      // Still before the event: bytes that come now belong behind it.
      wire.deliver(Buffer.concat([reply(2, 6n, 0), event(2, '/b')]));
      wire.deliver(event(4, '/c'));
    });
    wire.deliver(Buffer.concat([reply(1, 5n, 0), event(1, '/a'), event(1, '/aa')]));
    await done;
    await second;
    await turn();
    expect(told.log).toEqual([
      'first',
      'event 1 /a',
      'event 1 /aa',
      'second 1',
      'second 2',
      'event 2 /b',
      'event 4 /c',
    ]);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('is not delivered when the continuation ends the connection', async () => {
    const open = await opened();
    const probe = new Probe();
    open.connection.send(probe);
    const done = probe.done.then(() => open.connection.destroy(zooKeeperError('CLOSED')));
    await turn();
    open.wire.deliver(Buffer.concat([reply(1, 5n, 0), event(1, '/a'), event(1, '/b')]));
    await done;
    await turn();
    expect(open.told.log).toEqual(['closed']);
  });

  it('that cannot be read ends the connection, also when it waits for a continuation', async () => {
    const open = await opened();
    const { connection, wire, told } = open;
    const done = follow(open, 'read');
    await turn();
    wire.deliver(Buffer.concat([reply(1, 5n, 0), reply(-1, -1n, 0, int(1)), event(1, '/never')]));
    await done;
    await turn();
    expect(told.log).toEqual(['read 1', 'read 2', 'closed']);
    expect(connection.closed).toBe(true);
  });

  it('of a reply that was too large, too', async () => {
    const open = await opened({ maxResponseBytes: 100 });
    const { connection, wire, told } = open;
    const probe = new Probe();
    connection.send(probe);
    const done = probe.done.catch(async () => {
      told.log.push('failed 1');
      await Promise.resolve();
      told.log.push('failed 2');
    });
    await turn();
    wire.deliver(Buffer.concat([reply(1, 5n, 0, Buffer.alloc(200)), event(1, '/a')]));
    await done;
    await turn();
    expect(told.log).toEqual(['failed 1', 'failed 2', 'event 1 /a']);
    connection.destroy(zooKeeperError('CLOSED'));
  });
});

describe('onInputRead', () => {
  it('comes when a chunk has been read, before any continuation, and before each event', async () => {
    const log: string[] = [];
    const { connection, wire } = await opened({
      handlers: {
        onWake: () => log.push('wake'),
        onInputRead: () => log.push('read'),
        onNotification: () => log.push('event'),
        onDrain: () => {},
        onClosed: (cause) => cause,
      },
    });
    const probe = new Probe();
    connection.send(probe);
    const done = probe.done.then(() => log.push('continuation'));
    await turn();
    log.length = 0;
    wire.deliver(Buffer.concat([reply(1, 1n, 0), event(1, '/a')]));
    await done;
    await turn();
    expect(log[0]).toBe('wake');
    expect(log.indexOf('event')).toBeGreaterThan(log.indexOf('continuation'));
    expect(log[log.indexOf('event') - 1]).toBe('read');
    log.length = 0;
    const next = new Probe();
    connection.send(next);
    const nextDone = next.done.then(() => log.push('continuation'));
    await turn();
    log.length = 0;
    wire.deliver(reply(2, 2n, 0));
    await nextDone;
    expect(log).toEqual(['wake', 'read', 'continuation']);
    connection.destroy(zooKeeperError('CLOSED'));
  });

  it('comes after a ping reply has been counted', async () => {
    const answered: number[] = [];
    let connection: Connection | null = null;
    const handlers = {
      onWake: () => {},
      onInputRead: (): void => {
        if (connection !== null) answered.push(connection.answeredSentAt);
      },
      onNotification: () => {},
      onDrain: () => {},
      onClosed: (cause: ZooKeeperError) => cause,
    };
    const open = await opened({ handlers });
    connection = open.connection;
    await open.clock.advance(500);
    connection.ping();
    await turn();
    open.wire.deliver(pong());
    expect(answered).toEqual([1_500]);
    connection.destroy(zooKeeperError('CLOSED'));
  });
});
