import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from '../src/index.ts';
import { outcome, until } from './support/until.ts';

// A server of another thread: it answers while this one stands still. Handshakes are granted, pings and calls without an answer's body answered.
const SERVER = `
const { createServer } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const server = createServer((socket) => {
  let pending = Buffer.alloc(0);
  let greeted = false;
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const body = pending.subarray(4, 4 + pending.readInt32BE(0));
      pending = pending.subarray(4 + body.length);
      const answer = Buffer.alloc(greeted ? 20 : 41);
      answer.writeInt32BE(answer.length - 4, 0);
      if (!greeted) {
        answer.writeInt32BE(workerData, 8);
        answer.writeBigInt64BE(77n, 12);
        answer.writeInt32BE(16, 20);
        answer.fill(7, 24, 40);
        greeted = true;
      } else {
        body.copy(answer, 4, 0, 4);
        answer.writeBigInt64BE(5n, 8);
      }
      socket.write(answer);
    }
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

const T = 2_400;

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('an event loop that is blocked for nine tenths of the session timeout', () => {
  let worker: Worker;
  let port: number;
  const clients: ZooKeeper[] = [];

  beforeAll(async () => {
    worker = new Worker(SERVER, { eval: true, workerData: T });
    port = await new Promise<number>((resolve) => worker.once('message', resolve));
  });

  afterEach(async () => {
    for (const zk of clients.splice(0)) await zk.close({ timeout: 500 });
  });

  afterAll(async () => {
    await worker.terminate();
  });

  async function connected(onWrite: (chunk: Uint8Array) => void) {
    const zk = new ZooKeeper(`127.0.0.1:${port}`, {
      sessionTimeout: T,
      leaseMargin: 30,
      environment: {
        connect: ({ address, port: to }) => {
          const socket = connect({ host: address, port: to, noDelay: true });
          const write = socket.write.bind(socket) as (chunk: Uint8Array) => boolean;
          socket.write = ((chunk: Uint8Array) => {
            const flushed = write(chunk);
            onWrite(chunk);
            return flushed;
          }) as typeof socket.write;
          return socket;
        },
      },
    });
    clients.push(zk);
    const states: string[] = [];
    zk.on('state', (state) => states.push(state));
    await zk.connect();
    return { zk, states };
  }

  const isPing = (chunk: Uint8Array): boolean => chunk.length === 12;

  it('just after a ping was answered survives', async () => {
    const { zk, states } = await connected(() => {});
    const session = zk.session as { deadline: number };
    const { deadline } = session;
    await until(() => session.deadline > deadline, 'a ping is answered');
    block(0.9 * T - 50);
    const blocked = session.deadline;
    await until(() => session.deadline > blocked, 'the next ping is answered');
    expect(states).toEqual(['connected']);
  });

  it('between a ping and its answer, which waits in the socket, survives', async () => {
    let blocks = 0;
    const { zk, states } = await connected((chunk) => {
      if (!isPing(chunk) || blocks > 0) return;
      blocks += 1;
      block(0.9 * T - 50);
    });
    const session = zk.session as { deadline: number };
    const { deadline } = session;
    await until(() => blocks === 1 && session.deadline > deadline, 'the ping is counted as answered');
    const counted = session.deadline;
    await until(() => session.deadline > counted, 'the next ping is answered');
    expect(states).toEqual(['connected']);
  });

  it('for longer than the timeout is a loss, which the signal tells before anything else', async () => {
    const { zk, states } = await connected(() => {});
    const log: string[] = [];
    zk.session?.signal.addEventListener('abort', () => log.push('signal'));
    zk.on('state', (state) => log.push(state));
    const call = outcome(zk.sync()).then(() => log.push('call'));
    block(T + 50);
    await call;
    expect(log[0]).toBe('signal');
    expect(log[1]).toBe('lost');
    expect(states).toContain('lost');
  });
});
