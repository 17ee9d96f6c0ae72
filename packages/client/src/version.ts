import { BadArgumentsError } from '@zookit/protocol';

/** Throws BadArgumentsError unless it is a version as the server counts them: 32 bits, signed, -1 for any. */
export function checkVersion(version: number, operation: string, path: string, name = 'version'): number {
  if (Number.isInteger(version) && version >= -0x80000000 && version <= 0x7fffffff) return version;
  throw new BadArgumentsError('BAD_ARGUMENTS', {
    operation,
    path,
    message: `${name} must be a 32-bit integer, not ${String(version)}`,
  });
}
