import { isIPv4, isIPv6 } from 'node:net';

/** An address, or an address and the number of its leading bits that count: "10.1.0.0/16". */
export function isIpPattern(pattern: string): boolean {
  return parse(pattern) !== null;
}

export function ipMatches(address: string, pattern: string): boolean {
  const wanted = parse(pattern);
  const actual = toBits(address);
  if (wanted === null || actual === null || actual.length !== wanted.bits.length) return false;
  return actual.slice(0, wanted.count) === wanted.bits.slice(0, wanted.count);
}

function parse(pattern: string): { bits: string; count: number } | null {
  const [address = '', mask] = pattern.split('/', 2);
  const bits = toBits(address);
  if (bits === null) return null;
  if (mask === undefined) return { bits, count: bits.length };
  if (!/^\+?\d+$/.test(mask) || Number(mask) > bits.length) return null;
  return { bits, count: Number(mask) };
}

function toBits(address: string): string | null {
  if (isIPv4(address))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  if (!isIPv6(address) || address.includes('.') || address.includes('%')) return null;
  const [head = '', tail = ''] = address.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after]
    .map((part) => Number.parseInt(part, 16).toString(2).padStart(16, '0'))
    .join('');
}
