import { BadArgumentsError } from '@zookit/protocol';

/** What callers may store: bytes, text (as UTF-8) or nothing. */
export type Data = Uint8Array | string | null;

/** The bytes of what a caller wants stored. Throws BadArgumentsError on anything that would be stored as something else. */
export function toBytes(data: Data | undefined, operation: string, path: string): Uint8Array | null {
  if (data === undefined || data === null) return null;
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return data;
  throw new BadArgumentsError('BAD_ARGUMENTS', {
    operation,
    path,
    message: `data must be a Uint8Array, a string or null, not ${typeof data}`,
  });
}

/** As `toBytes`, for what replaces other data: forgotten, it would wipe them. */
export function newBytes(data: Data, operation: string, path: string): Uint8Array | null {
  if (data !== undefined) return toBytes(data, operation, path);
  throw new BadArgumentsError('BAD_ARGUMENTS', {
    operation,
    path,
    message: 'data is missing; null replaces what is there by nothing',
  });
}

/**
 * Data as callers may keep it: a small piece of a large network chunk would keep all of the chunk alive.
 */
export function keepable(data: Buffer | null): Buffer | null {
  if (data === null || data.length * 2 >= data.buffer.byteLength) return data;
  const copy = Buffer.allocUnsafe(data.length);
  copy.set(data);
  return copy;
}
