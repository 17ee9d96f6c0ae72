import { BadArgumentsError } from '@zookit/protocol';
import type { ReconfigRequest } from '@zookit/protocol/internal';
import { reconfig } from './operations/reconfig.ts';
import type { CallOptions } from './options.ts';

/** A change of the ensemble: servers that join and leave, or all members anew. */
export interface ReconfigOptions extends CallOptions {
  /** Servers to add or change, as in the configuration: `server.4=host:2888:3888;2181`. */
  joining?: string | readonly string[];
  /** Ids of servers to remove. */
  leaving?: string | readonly string[];
  /** The whole new membership, in place of `joining` and `leaving`. */
  members?: string | readonly string[];
  /** Only from this configuration, its `version` in hexadecimal read as a number; default -1, any. */
  fromConfig?: bigint | number;
}

/** The request for a change. Throws BadArgumentsError on one that no server would take. */
export function reconfigArgs({ joining, leaving, members, fromConfig = -1n }: ReconfigOptions): ReconfigRequest {
  const request = {
    joiningServers: textOf(joining, 'joining'),
    leavingServers: textOf(leaving, 'leaving'),
    newMembers: textOf(members, 'members'),
  };
  const incremental = request.joiningServers !== null || request.leavingServers !== null;
  if (incremental === (request.newMembers !== null)) {
    throw bad('give either joining, leaving or both, or members, which is the whole list');
  }
  return { ...request, curConfigId: configId(fromConfig) };
}

function textOf(servers: string | readonly string[] | undefined, name: string): string | null {
  if (servers === undefined || servers === null) return null;
  const list = typeof servers === 'string' ? [servers] : servers;
  if (!Array.isArray(list) || list.some((server) => typeof server !== 'string')) {
    throw bad(`${name} must be a string or a list of strings`);
  }
  const text = list.map((server: string) => server.trim()).filter((server) => server !== '');
  return text.length === 0 ? null : text.join(',');
}

function configId(id: bigint | number): bigint {
  if (typeof id === 'bigint' && BigInt.asIntN(64, id) === id) return id;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return BigInt(id);
  throw bad(`fromConfig must be a 64-bit integer, not ${String(id)}`);
}

function bad(message: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: reconfig.name, message });
}
