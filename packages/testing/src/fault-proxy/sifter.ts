import { Conversation } from './conversation.ts';
import type { ArmedRule, Direction, RuleBook } from './rules.ts';

/** No frame is that long; a TLS record or a 4-letter word, read as a length, is longer. */
const ABSURD_LENGTH = 0x1000_0000;

export interface SifterOutput {
  pass(bytes: Buffer): void;
  cut(): void;
  /** `rest` comes back through `push` once `release` has been called. */
  hold(rest: Buffer): () => void;
}

/** Follows the frames in one direction of one connection, passes the bytes on and lets the rules take their frames out. */
export class FrameSifter {
  readonly #direction: Direction;
  readonly #conversation: Conversation;
  readonly #rules: RuleBook;
  readonly #output: SifterOutput;
  readonly #headSize: number;
  /** Bytes still to come of a frame that is being passed on. */
  #rest = 0;
  /** The start of a frame's head that has been passed on already. */
  #seen: Buffer = Buffer.alloc(0);
  /** Bytes kept back because a rule may want their frame. */
  #kept: Buffer[] = [];
  #keptLength = 0;
  #wanted = 0;
  /** The frame at the head was held once: no rule may take it again. */
  #isReleased = false;

  constructor(direction: Direction, conversation: Conversation, rules: RuleBook, output: SifterOutput) {
    this.#direction = direction;
    this.#conversation = conversation;
    this.#rules = rules;
    this.#output = output;
    this.#headSize = Conversation.headSize(direction);
  }

  push(bytes: Buffer): void {
    let chunk = bytes;
    if (this.#keptLength > 0) {
      this.#kept.push(bytes);
      this.#keptLength += bytes.length;
      if (this.#keptLength < this.#wanted && this.#rules.isArmed(this.#direction)) return;
      chunk = this.#takeKept();
    }
    this.#sift(chunk);
  }

  /** The direction ends: what was kept back goes out as it is. */
  flush(): void {
    if (this.#keptLength > 0) this.#output.pass(this.#takeKept());
  }

  #sift(chunk: Buffer): void {
    let passed = 0;
    let offset = 0;
    const passUpTo = (end: number): void => {
      if (end > passed) this.#output.pass(chunk.subarray(passed, end));
    };
    while (offset < chunk.length && !this.#conversation.isOpaque) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - offset);
        this.#rest -= skipped;
        offset += skipped;
        continue;
      }
      const ahead = chunk.subarray(offset, offset + this.#headSize - this.#seen.length);
      const head = this.#seen.length === 0 ? ahead : Buffer.concat([this.#seen, ahead]);
      const length = head.length >= 4 ? head.readInt32BE(0) : 0;
      if (length < 0 || length >= ABSURD_LENGTH) {
        this.#conversation.isOpaque = true;
        break;
      }
      const mayTake = this.#seen.length === 0 && !this.#isReleased && this.#rules.isArmed(this.#direction);
      const headSize = head.length < 4 ? this.#headSize : Math.min(this.#headSize, 4 + length);
      if (head.length < headSize) {
        if (mayTake) {
          passUpTo(offset);
          this.#keep(chunk.subarray(offset), headSize);
          return;
        }
        this.#seen = Buffer.from(head);
        break;
      }
      const opcode = this.#conversation.opcodeOf(this.#direction, head.subarray(0, headSize));
      const candidates = mayTake && opcode !== null ? this.#rules.candidates(this.#direction, opcode) : [];
      if (candidates.length > 0) {
        const end = offset + 4 + length;
        if (chunk.length < end) {
          passUpTo(offset);
          this.#keep(chunk.subarray(offset), 4 + length);
          return;
        }
        const frame = chunk.subarray(offset + 4, end);
        const rule = candidates.find((candidate) => matches(candidate, frame));
        if (rule) {
          passUpTo(offset);
          const isGone = this.#apply(rule, opcode!, chunk, offset, end);
          if (isGone) return;
          passed = end;
          offset = end;
          continue;
        }
      }
      this.#conversation.note(this.#direction, head.subarray(0, headSize), opcode);
      this.#isReleased = false;
      this.#rest = 4 + length - this.#seen.length;
      this.#seen = Buffer.alloc(0);
    }
    passUpTo(chunk.length);
  }

  /** @returns whether the rest of the chunk is out of our hands */
  #apply(rule: ArmedRule, opcode: number, chunk: Buffer, offset: number, end: number): boolean {
    const frame = chunk.subarray(offset + 4, end);
    if (rule.action === 'hold') {
      this.#isReleased = true;
      const release = this.#output.hold(chunk.subarray(offset));
      rule.settle({ opcode, frame, release });
      return true;
    }
    if (rule.action === 'cut') this.#output.cut();
    // The server will not answer a request that it never gets.
    else if (this.#direction === 'reply') this.#conversation.note('reply', chunk.subarray(offset, end), opcode);
    rule.settle({ opcode, frame, release: () => {} });
    return rule.action === 'cut';
  }

  #keep(bytes: Buffer, wanted: number): void {
    this.#kept.push(bytes);
    this.#keptLength += bytes.length;
    this.#wanted = wanted;
  }

  #takeKept(): Buffer {
    const bytes = Buffer.concat(this.#kept, this.#keptLength);
    this.#kept = [];
    this.#keptLength = 0;
    return bytes;
  }
}

function matches(rule: ArmedRule, frame: Buffer): boolean {
  try {
    return rule.match?.(frame) ?? true;
  } catch (error) {
    rule.fail(error);
    return false;
  }
}
