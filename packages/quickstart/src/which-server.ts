import { RealServer, TestServer } from '@zookit/testing';

/** The server of a run. */
export interface ChosenServer {
  connectString: string;
  /** For people. */
  description: string;
  stop: () => Promise<void>;
}

/** The person's own servers, or one that lives as long as the demo. */
export async function chooseServer({ server, real }: { server: string | null; real: boolean }): Promise<ChosenServer> {
  if (server !== null) return { connectString: server, description: server, stop: async () => {} };
  if (real) {
    const started = await RealServer.start();
    const { connectString, version } = started;
    return {
      connectString,
      description: `Apache ZooKeeper ${version} at ${connectString}`,
      stop: () => started.stop(),
    };
  }
  const started = await TestServer.start();
  const { connectString } = started;
  return { connectString, description: `in-process server at ${connectString}`, stop: () => started.stop() };
}
