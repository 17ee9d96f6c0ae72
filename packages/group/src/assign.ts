/** Which member has which items. */
export type Shares = ReadonlyMap<string, readonly string[]>;

/**
 * Splits the items among the members: nobody has more than one item more than another, and no item moves that need not.
 *
 * Everybody who computes this from the same shares gets the same. Those who have most keep the odd items; what is left over,
 * and what belonged to members that are gone, fills up those who have too little.
 */
export function assign(items: readonly string[], members: readonly string[], before: Shares): Map<string, string[]> {
  const known = new Set(items);
  const placed = new Set<string>();
  const shares = new Map<string, string[]>();
  for (const member of [...members].sort()) {
    const kept = (before.get(member) ?? []).filter((item) => known.has(item) && !placed.has(item));
    for (const item of kept) placed.add(item);
    shares.set(member, kept);
  }
  const least = Math.floor(items.length / shares.size);
  let odd = items.length % shares.size;
  const free = items.filter((item) => !placed.has(item));
  // The sort is stable: among equals the name decides.
  const largestFirst = [...shares.values()].sort((a, b) => b.length - a.length);
  const quotas = largestFirst.map((share) => {
    const quota = odd > 0 ? least + 1 : least;
    odd -= 1;
    free.push(...share.splice(quota));
    return quota;
  });
  for (const [at, share] of largestFirst.entries())
    share.push(...free.splice(0, (quotas[at] as number) - share.length));
  return shares;
}
