import { ZooKeeper, type ZooKeeperOptions } from '../../src/index.ts';
import type { Simulation } from './simulation.ts';
import { outcome } from './until.ts';

export interface Observed {
  zk: ZooKeeper;
  /** Every state that the client told of, in order. */
  states: string[];
  /** What connect() came to. */
  connected: Promise<unknown>;
}

const made: ZooKeeper[] = [];

/** A client in a simulation, on its way to a session. */
export function client(net: Simulation, connectString: string, options: ZooKeeperOptions = {}): Observed {
  const zk = new ZooKeeper(connectString, { shuffle: false, environment: net.environment, ...options });
  const states: string[] = [];
  zk.on('state', (state) => states.push(state));
  made.push(zk);
  return { zk, states, connected: outcome(zk.connect()) };
}

/** A client that has its session. */
export async function connectedClient(
  net: Simulation,
  connectString: string,
  options: ZooKeeperOptions = {},
): Promise<Observed> {
  const observed = client(net, connectString, options);
  const failure = await observed.connected;
  if (failure !== undefined) throw failure;
  observed.states.length = 0;
  return observed;
}

/** For afterEach: nothing is left of the clients that a test has made. */
export async function closeClients(): Promise<void> {
  for (const zk of made.splice(0)) await zk.close({ timeout: 0 });
}
