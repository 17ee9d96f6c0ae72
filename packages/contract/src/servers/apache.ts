import { RealServer } from '@zookit/testing';
import type { ContractServer, ServerWatches } from '../server.ts';

const TICK = 500;

/** One Apache ZooKeeper of the given release. */
export async function startApache(version: string): Promise<ContractServer> {
  const server = await RealServer.start({
    version,
    tickTime: TICK,
    jvmArgs: [`-Dznode.container.checkIntervalMs=${TICK}`],
  });
  const { host, port, connectString } = server.members[0]!;
  const ask = (word: string): Promise<string> => server.fourLetterWord(0, word);
  return {
    host,
    port,
    connectString,
    tickTime: TICK,
    watches: async () => {
      const data = dataWatches(await ask('wchp'));
      const total = Number(/^zk_watch_count\t(\d+)$/m.exec(await ask('mntr'))?.[1]);
      return { data, child: total - data.length };
    },
    sessions: async () => sessionIds(await ask('dump')),
    restart: async () => {
      await server.kill(0);
      await server.start(0);
    },
    stop: () => server.stop(),
  };
}

/** `wchp` lists each path, and under it, indented, the sessions that watch it. */
function dataWatches(answer: string): ServerWatches['data'] {
  const watches: ServerWatches['data'] = [];
  let path = '';
  for (const line of answer.split('\n')) {
    if (line.startsWith('/')) path = line;
    else if (line.startsWith('\t0x')) watches.push({ path, sessionId: idOf(line) });
  }
  return watches;
}

/** `dump` lists the sessions by the time of their end, then the ephemerals by session. */
function sessionIds(answer: string): bigint[] {
  const sessions = answer.slice(0, answer.indexOf('ephemeral nodes dump'));
  return sessions
    .split('\n')
    .filter((line) => line.startsWith('\t0x'))
    .map(idOf);
}

function idOf(line: string): bigint {
  return BigInt.asIntN(64, BigInt(line.trim()));
}
