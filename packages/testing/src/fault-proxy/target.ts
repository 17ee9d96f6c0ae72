/** One server: 'host:port', '[::1]:port', or the two apart. */
export type FaultProxyTarget = string | { host: string; port: number };

/** @throws TypeError unless it names exactly one host and port */
export function parseTarget(target: FaultProxyTarget): { host: string; port: number } {
  const { host, port } = typeof target === 'string' ? split(target) : target;
  if (!host || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TypeError(
      `A proxy's target is one 'host:port', not '${typeof target === 'string' ? target : `${host}:${port}`}'`,
    );
  }
  return { host, port };
}

function split(target: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^\s:,/[\]]+)):(\d+)$/.exec(target) ?? [];
  return { host: bracketed ?? plain ?? '', port: Number(port) };
}
