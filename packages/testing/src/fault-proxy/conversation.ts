import { Xid } from '@zookit/protocol';
import { CONNECT, NOTIFICATION } from './opcodes.ts';
import type { Direction } from './rules.ts';

const PING = 11;
const AUTH = 100;

/** What has been asked on one connection and not been answered: tells what kind of request a reply belongs to. */
export class Conversation {
  /** TLS, a 4-letter word, or anything else that is not frames: the bytes go through unread. */
  isOpaque = false;
  #hasAsked = false;
  #hasAnswered = false;
  readonly #unanswered = new Map<number, number[]>();

  /** Bytes of a frame, its length prefix included, that tell its opcode. */
  static headSize(direction: Direction): number {
    return direction === 'request' ? 12 : 8;
  }

  /** The opcode of the frame that begins with `head`; null when it can't be told. */
  opcodeOf(direction: Direction, head: Buffer): number | null {
    if (direction === 'request') {
      if (!this.#hasAsked) return CONNECT;
      return head.length < 12 ? null : head.readInt32BE(8);
    }
    if (!this.#hasAnswered) return CONNECT;
    if (head.length < 8) return null;
    const xid = head.readInt32BE(4);
    if (xid === Xid.notification) return NOTIFICATION;
    if (xid === Xid.ping) return PING;
    if (xid === Xid.auth) return AUTH;
    return this.#unanswered.get(xid)?.[0] ?? null;
  }

  /** The frame goes on to the other side, or, being a reply, has come from the server at all. */
  note(direction: Direction, head: Buffer, opcode: number | null): void {
    if (direction === 'request') {
      if (!this.#hasAsked) this.#hasAsked = true;
      else if (opcode !== null && opcode !== PING && opcode !== AUTH) this.#asked(head.readInt32BE(4), opcode);
      return;
    }
    if (!this.#hasAnswered) this.#hasAnswered = true;
    else if (head.length >= 8) this.#answered(head.readInt32BE(4));
  }

  #asked(xid: number, opcode: number): void {
    const waiting = this.#unanswered.get(xid);
    if (waiting) waiting.push(opcode);
    else this.#unanswered.set(xid, [opcode]);
  }

  #answered(xid: number): void {
    const waiting = this.#unanswered.get(xid);
    if (!waiting) return;
    waiting.shift();
    if (waiting.length === 0) this.#unanswered.delete(xid);
  }
}
