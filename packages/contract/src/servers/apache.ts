import { RealServer } from '@zookit/testing';
import type { ContractServer, ServerWatches } from '../server.ts';

const TICK = 500;

/** One Apache ZooKeeper of the given release. */
export function startApache(version: string): Promise<ContractServer> {
  return start(version, 1, async () => 0);
}

/** A follower in an ensemble of three, of the given release. */
export function startApacheFollower(version: string): Promise<ContractServer> {
  return start(version, 3, async (server) => ((await server.leader()) + 1) % 3);
}

async function start(
  version: string,
  members: number,
  choose: (server: RealServer) => Promise<number>,
): Promise<ContractServer> {
  const server = await RealServer.start({
    version,
    members,
    tickTime: TICK,
    jvmArgs: [`-Dznode.container.checkIntervalMs=${TICK}`],
  });
  const chosen = await choose(server);
  const leader = await server.leader();
  const { host, port, connectString } = server.members[chosen]!;
  const ask = (word: string, member: number = chosen): Promise<string> => server.fourLetterWord(member, word);
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
    sessions: async () => sessionIds(await ask('dump', leader)),
    restart: async () => {
      await server.kill(chosen);
      await server.start(chosen);
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
