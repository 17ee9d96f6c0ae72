import { type FaultOpcode, opcodesOf } from './opcodes.ts';

export type Direction = 'request' | 'reply';

export interface FaultRule {
  /** What kind of request, or a reply to what kind of request. */
  opcode: FaultOpcode;
  direction: Direction;
  /**
   * 'cut' resets both sides before anyone sees a byte of the frame; 'drop' swallows the frame alone; 'hold' keeps it, and
   * all that follows it in its direction, until `release()`.
   */
  action: 'cut' | 'drop' | 'hold';
  /** Looks closer: the frame's body, without its length prefix. */
  match?: (frame: Buffer) => boolean;
  /** Takes the rule back; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Milliseconds the rule stands; then it is taken back and the promise rejects. Default: until the proxy stops. */
  timeout?: number;
}

export interface CaughtFrame {
  readonly opcode: number;
  /** The frame's body, without its length prefix. */
  readonly frame: Buffer;
  /** Lets a held frame go, with all that waits behind it. Does nothing for the other actions, or twice. */
  release(): void;
}

export interface ArmedRule {
  readonly direction: Direction;
  readonly action: FaultRule['action'];
  readonly opcodes: ReadonlySet<number>;
  readonly match: ((frame: Buffer) => boolean) | undefined;
  /** Ends the rule's life, with the frame it caught or with the reason why it caught none. */
  settle(caught: CaughtFrame): void;
  fail(reason: unknown): void;
}

/** The rules that still wait for their frame, in the order in which they were given. */
export class RuleBook {
  #armed: ArmedRule[] = [];

  add({ opcode, direction, action, match, signal, timeout }: FaultRule): Promise<CaughtFrame> {
    const opcodes = opcodesOf(opcode);
    const caught = new Promise<CaughtFrame>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#armed = this.#armed.filter((other) => other !== rule);
      };
      const rule: ArmedRule = {
        direction,
        action,
        opcodes,
        match,
        settle: (frame) => {
          end();
          resolve(frame);
        },
        fail: (reason) => {
          end();
          reject(reason);
        },
      };
      const onAbort = (): void => rule.fail(signal?.reason);
      const what = `${direction} '${opcode}'`;
      const timer =
        timeout === undefined
          ? undefined
          : setTimeout(
              () => rule.fail(Object.assign(new Error(`No ${what} within ${timeout} ms`), { code: 'TIMEOUT' })),
              timeout,
            );
      signal?.addEventListener('abort', onAbort);
      this.#armed.push(rule);
    });
    // A test that fails before it awaits the rule must not fail a second time with an unhandled rejection.
    caught.catch(() => {});
    return caught;
  }

  isArmed(direction: Direction): boolean {
    return this.#armed.some((rule) => rule.direction === direction);
  }

  candidates(direction: Direction, opcode: number): ArmedRule[] {
    return this.#armed.filter((rule) => rule.direction === direction && rule.opcodes.has(opcode));
  }

  failAll(reason: unknown): void {
    for (const rule of this.#armed) rule.fail(reason);
  }
}
