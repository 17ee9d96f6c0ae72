import { OpCode } from '@zookit/protocol';
import { type Family, families } from '../request-families.ts';

/** The handshake and the server's notifications have no request type on the wire; these are Apache's internal ones. */
const numbers: Readonly<Record<string, number>> = { connect: -10, notification: 0, ...OpCode };

export const CONNECT: number = -10;
export const NOTIFICATION: number = 0;

type Method = 'get' | 'set' | 'children';

const many: Readonly<Record<Family | Method, readonly string[]>> = {
  ...families,
  get: ['getData'],
  set: ['setData'],
  children: families.getChildren,
};

/**
 * A request type: its number, its Apache name ('create2', 'getData', 'ping', 'connect' for the handshake, 'notification'
 * for watch events), or the start of a name with a star. 'create' is every way to create a node, 'getChildren' both ways
 * to list children and 'setWatches' both to set watches again, whichever the client uses; 'get', 'set' and 'children' are
 * the client's methods. A number stands for one request alone: 1 is the oldest create.
 */
export type FaultOpcode = number | 'connect' | 'notification' | keyof typeof OpCode | Method | `${string}*`;

/** @throws TypeError for a name that no opcode has */
export function opcodesOf(opcode: FaultOpcode): ReadonlySet<number> {
  if (typeof opcode === 'number') return new Set([opcode]);
  const names = namesOf(String(opcode));
  if (names.length === 0) throw new TypeError(`No ZooKeeper opcode is called '${opcode}'`);
  return new Set(names.map((name) => numbers[name]!));
}

function namesOf(name: string): readonly string[] {
  if (name.endsWith('*')) return Object.keys(numbers).filter((other) => other.startsWith(name.slice(0, -1)));
  if (Object.hasOwn(many, name)) return many[name as Family | Method];
  return Object.hasOwn(numbers, name) ? [name] : [];
}
