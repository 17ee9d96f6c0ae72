/** A number from 0 to below `limit`. */
export type Pick = (limit: number) => number;

/** Always the same numbers for the same seed. */
export function numbers(seed: number): Pick {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const evilBytes = [0, 1, 0x7f, 0x80, 0xff];
const evilInts = [-1, 0, 1, -2, 16, 0xffff, 0x100_0000, 0x7fff_ffff, -0x8000_0000];

const mutations: readonly ((body: Buffer, pick: Pick, others: readonly Buffer[]) => Buffer)[] = [
  (body, pick) => {
    if (body.length > 0) body[pick(body.length)] = (body[pick(body.length)] as number) ^ (1 << pick(8));
    return body;
  },
  (body, pick) => {
    if (body.length > 0) body[pick(body.length)] = evilBytes[pick(evilBytes.length)] as number;
    return body;
  },
  (body, pick) => {
    if (body.length >= 4) body.writeInt32BE(evilInts[pick(evilInts.length)] as number, pick(body.length - 3));
    return body;
  },
  (body, pick) => body.subarray(0, pick(body.length + 1)),
  (body, pick) => {
    const at = pick(body.length + 1);
    return Buffer.concat([body.subarray(0, at), Buffer.from([pick(256), pick(256)]), body.subarray(at)]);
  },
  (body, pick) => {
    const at = pick(body.length + 1);
    return Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + 1 + pick(8)))]);
  },
  (body, pick, others) => {
    const other = others[pick(others.length)] as Buffer;
    return Buffer.concat([body.subarray(0, pick(body.length + 1)), other.subarray(pick(other.length + 1))]);
  },
];

/** A copy of the bytes with one to four things wrong with it. */
export function mutate(body: Buffer, pick: Pick, others: readonly Buffer[]): Buffer {
  let mutated: Buffer = Buffer.from(body);
  for (let left = 1 + pick(4); left > 0; left -= 1) {
    mutated = (mutations[pick(mutations.length)] as (typeof mutations)[number])(mutated, pick, others);
  }
  return mutated;
}
