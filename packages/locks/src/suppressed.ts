/**
 * The first error, with what went wrong on the way back in its `suppressed`; that is the process warnings' where the
 * first one can't take it.
 */
export function withSuppressed(first: unknown, others: readonly unknown[]): unknown {
  if (others.length === 0) return first;
  if (typeof first === 'object' && first !== null && Object.isExtensible(first)) {
    Object.defineProperty(first, 'suppressed', { value: [...others], configurable: true, writable: true });
  } else for (const other of others) process.emitWarning(String(other), 'ZookitWarning');
  return first;
}
