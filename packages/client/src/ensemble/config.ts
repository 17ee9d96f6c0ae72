import { isIP } from 'node:net';
import type { Host } from '../connect-string.ts';

/** Addresses that mean "all of this machine's": useless to anybody else. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0']);

/**
 * The servers that clients may connect to, by `/zookeeper/config`: lines `server.N=host:quorum:election[:role];[address:]clientPort`.
 *
 * A wildcard client address is replaced by the server's own host. Servers without a client port don't count. Null when
 * nothing usable is left, or a line can't be read: the list that works is better than that.
 */
export function clientAddresses(config: string): Host[] | null {
  const hosts: Host[] = [];
  for (const line of config.split('\n')) {
    const server = /^server\.\d+=(.+)$/.exec(line.trim())?.[1];
    if (server === undefined) continue;
    const [members = '', client] = server.split(';');
    if (client === undefined || client === '') continue;
    const host = clientHost(members, client);
    if (host === null) return null;
    hosts.push(host);
  }
  return hosts.length === 0 ? null : hosts;
}

function clientHost(members: string, client: string): Host | null {
  const written = splitPort(client) ?? { host: '', port: Number(client) };
  // Several addresses of one server are separated by pipes; the first one will do.
  const own = /^(?:\[([^\]]+)\]|([^:]+)):/.exec(members.split('|')[0] ?? '');
  const host = written.host === '' || WILDCARDS.has(written.host) ? (own?.[1] ?? own?.[2] ?? '') : written.host;
  const usable = host !== '' && !WILDCARDS.has(host) && (isIP(host) !== 0 || !host.includes(':'));
  return usable && Number.isInteger(written.port) && written.port > 0 && written.port <= 65_535
    ? { host, port: written.port }
    : null;
}

function splitPort(text: string): Host | null {
  const match = /^(?:\[([^\]]+)\]|(.+)):(\d+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? null : { host, port: Number(match?.[3]) };
}
