import { isIP } from 'node:net';
import { ConnectStringError } from '@zookit/protocol';
import { checkPath } from './paths.ts';

/** One server of an ensemble, as written. */
export interface Host {
  host: string;
  port: number;
}

export interface ConnectString {
  hosts: readonly Host[];
  /** `/` or a path without a trailing slash. */
  chroot: string;
}

const DEFAULT_PORT = 2181;

/**
 * Reads `host[:port][,host[:port]…][/chroot]`; IPv6 addresses in brackets, default port 2181, spaces around commas ignored.
 *
 * Throws ConnectStringError.
 */
export function parseConnectString(text: string): ConnectString {
  if (typeof text !== 'string') throw bad(String(text), `expected a string, got ${typeof text}`);
  const slash = text.indexOf('/');
  const list = slash < 0 ? text : text.slice(0, slash);
  const chroot = slash < 0 ? '/' : text.slice(slash).trimEnd().replace(/\/$/, '') || '/';
  if (chroot.includes(',')) {
    throw bad(text, `the chroot is written once, behind the last host; ${JSON.stringify(chroot)} holds a comma`);
  }
  try {
    checkPath(chroot);
  } catch (cause) {
    throw bad(text, `the chroot ${JSON.stringify(chroot)} is not a path: ${(cause as Error).message}`, cause);
  }
  const hosts = list.split(',').map((part) => parseHost(part.trim(), text));
  return { hosts, chroot };
}

function parseHost(part: string, text: string): Host {
  if (part === '') throw bad(text, 'a host is empty');
  if (isIP(part) === 6) throw bad(text, `the IPv6 address ${part} must be in brackets, [${part}]:${DEFAULT_PORT}`);
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(.*))?$/.exec(part);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw bad(text, `${JSON.stringify(part)} is not a host or host:port`);
  const written = match?.[3];
  if (written === undefined) return { host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(written) ? Number(written) : 0;
  if (port < 1 || port > 65_535)
    throw bad(text, `${JSON.stringify(written)} is not a port (1 to 65535) in ${JSON.stringify(part)}`);
  return { host, port };
}

function bad(text: string, why: string, cause?: unknown): ConnectStringError {
  return new ConnectStringError({
    operation: 'connect',
    message: `connect string ${JSON.stringify(text)}: ${why}`,
    cause,
  });
}
