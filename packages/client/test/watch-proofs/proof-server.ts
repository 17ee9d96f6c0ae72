import { type ProfileName, RealServer, TestServer } from '@zookit/testing';

/** A server that something is proven on. */
export interface ProofServer {
  name: string;
  connectString: string;
  /** Whether its events carry their zxid. */
  zxids: boolean;
  /** The watches it keeps, as its own `mntr` counts them: a persistent one stands in two tables. */
  count(): Promise<number>;
  stop(): Promise<void>;
}

export async function startReal(version: '3.8.6' | '3.9.5'): Promise<ProofServer> {
  const server = await RealServer.start({ version, config: { forceSync: 'no' } });
  return {
    name: `Apache ZooKeeper ${version}`,
    connectString: server.connectString,
    zxids: version === '3.9.5',
    count: async () => {
      const answer = await server.fourLetterWord(0, 'mntr');
      return Number(/^zk_watch_count\t(\d+)$/m.exec(answer)?.[1]);
    },
    stop: () => server.stop(),
  };
}

export async function startInProcess(profile: ProfileName): Promise<ProofServer> {
  const server = await TestServer.start({ profile });
  return {
    name: `TestServer as ${profile}`,
    connectString: server.connectString,
    zxids: profile === '3.9',
    count: async () => server.watches().length,
    stop: () => server.stop(),
  };
}
