import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { BadArgumentsError } from '@zookit/protocol';

/**
 * What every socket of a client gets. Keys and certificates are read once, here, so that an unusable one is told at once, not by
 * connections that fail. Throws BadArgumentsError.
 */
export function tlsOf(tls: boolean | ConnectionOptions): ConnectionOptions | null {
  if (tls === false) return null;
  if (tls !== true && (typeof tls !== 'object' || tls === null)) {
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      operation: 'connect',
      message: `option tls must be a boolean or an object of Node's TLS options, not ${String(tls)}`,
    });
  }
  const given = tls === true ? {} : tls;
  if (given.secureContext !== undefined) return given;
  try {
    return { ...given, secureContext: createSecureContext(given) };
  } catch (cause) {
    throw new BadArgumentsError('BAD_ARGUMENTS', {
      operation: 'connect',
      message: `option tls: ${(cause as { message?: string } | null)?.message ?? String(cause)}`,
      cause,
    });
  }
}
