import { Xid } from '../../src/index.ts';
import { frame, requestOf } from './bytes.ts';
import { type GoldenFrame, golden } from './golden.ts';
import { turn } from './manual-clock.ts';
import { opened, Probe } from './wire.ts';

/** One recorded conversation behind its handshake. */
export interface Script {
  name: string;
  requests: GoldenFrame[];
  /** All that the server said, as one stream. */
  answers: Buffer;
}

export interface Replayed {
  /** The requests that went out. */
  sent: string[];
  /** Answers and events, in the order in which they were told. */
  heard: string[];
  /** The reasons of the connection's end, if it has ended. */
  closed: string[];
}

export const scripts: readonly Script[] = ['operations', 'resumed', 'old', 'unknown'].flatMap((conversation) =>
  ['apache-3.8.6', 'apache-3.9.5'].map((release) => {
    const frames = golden.filter((each) => each.release === release && each.conversation === conversation);
    return {
      name: `${release}: ${conversation}`,
      requests: frames.filter(({ kind }) => kind === 'request'),
      answers: Buffer.concat(frames.filter(({ kind }) => typeof kind === 'object').map(({ body }) => frame(body))),
    };
  }),
);

/** Makes the recorded requests on a connection, and delivers these chunks, a tick apart. */
export async function replay({ requests }: Script, chunks: readonly Buffer[]): Promise<Replayed> {
  const { connection, wire, told } = await opened();
  const heard: string[] = [];
  for (const { name, body } of requests) {
    const { xid, type, body: content } = requestOf(body);
    if (xid === Xid.ping) {
      connection.ping();
      heard.push('pong');
      continue;
    }
    const probe = new Probe(type, content);
    probe.done.then(
      (answer) => told.log.push(`${name}: ${answer.errno} ${answer.body.toString('hex')}`),
      (error: { code: string }) => told.log.push(`${name}: ${error.code}`),
    );
    if (xid === Xid.auth || xid === Xid.setWatches) connection.sendSpecial(probe, xid);
    else connection.send(probe);
  }
  await turn();
  const sent = wire.frames.slice(1).map((body) => body.toString('hex'));
  for (const chunk of chunks) {
    wire.deliver(chunk);
    await turn();
  }
  await turn();
  heard.push(...told.log);
  const closed = told.closed.map(({ code }) => code);
  connection.destroy(new Error('over') as never);
  return { sent, heard, closed };
}
