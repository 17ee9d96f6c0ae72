import { OpCode } from '@zookit/protocol';

/** The handshake and the server's notifications have no request type on the wire; these are Apache's internal ones. */
const numbers: Readonly<Record<string, number>> = { connect: -10, notification: 0, ...OpCode };

export const CONNECT: number = -10;
export const NOTIFICATION: number = 0;

/**
 * A request type: its number, its Apache name ('create2', 'getData', 'ping', 'connect' for the handshake, 'notification'
 * for watch events), or the start of a name with a star: 'create*' is every way to create, 'setWatches*' both.
 */
export type FaultOpcode = number | 'connect' | 'notification' | keyof typeof OpCode | `${string}*`;

/** @throws TypeError for a name that no opcode has */
export function opcodesOf(opcode: FaultOpcode): ReadonlySet<number> {
  if (typeof opcode === 'number') return new Set([opcode]);
  const names = Object.keys(numbers).filter((name) =>
    opcode.endsWith('*') ? name.startsWith(opcode.slice(0, -1)) : name === opcode,
  );
  if (names.length === 0) throw new TypeError(`No ZooKeeper opcode is called '${opcode}'`);
  return new Set(names.map((name) => numbers[name]!));
}
