/**
 * Calls that will be awaited later. If the case fails before, their rejections are nobody's: they must not look like failures of
 * whatever case runs then.
 */
export function later<T extends Promise<unknown> | readonly Promise<unknown>[]>(calls: T): T {
  for (const call of [calls].flat() as Promise<unknown>[]) call.catch(() => {});
  return calls;
}
