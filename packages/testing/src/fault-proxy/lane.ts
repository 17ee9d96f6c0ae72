import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Conversation } from './conversation.ts';
import { reset } from './reset.ts';
import type { Direction, RuleBook } from './rules.ts';
import { FrameSifter } from './sifter.ts';
import type { Weather } from './weather.ts';

/** Above this much waiting here, the sender is not read any more: TCP's own back-pressure does the rest. */
const HIGH_WATER = 1024 * 1024;

type Item = { bytes: Buffer; at: number } | { ending: 'end' | 'reset'; at: number };

export interface LaneOptions {
  direction: Direction;
  source: Socket | null;
  sink: Socket | null;
  conversation: Conversation;
  rules: RuleBook;
  weather: Weather;
  cut(): void;
}

/** One direction of one connection: what came from `source` waits here for its time and goes to `sink` in order. */
export class Lane {
  readonly #weather: Weather;
  readonly #sifter: FrameSifter;
  #source: Socket | null;
  #sink: Socket | null;
  #queue: Item[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;
  #isPumping = false;
  #isClosed = false;
  #hasLost = false;

  constructor({ direction, source, sink, conversation, rules, weather, cut }: LaneOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#weather = weather;
    this.#sifter = new FrameSifter(direction, conversation, rules, {
      pass: (bytes) => {
        if (this.#sink?.writable) this.#sink.write(bytes);
      },
      cut,
      hold: (rest) => this.#hold(rest),
    });
  }

  /** Whether a blackhole took something that the sender believes sent: the stream can't be mended. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  attach(ends: { source?: Socket; sink?: Socket }): void {
    this.#source = ends.source ?? this.#source;
    this.#sink = ends.sink ?? this.#sink;
  }

  arrive(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#weather.blackhole === 'swallow') {
      this.#hasLost = true;
      return;
    }
    this.#queue.push({ bytes, at: performance.now() });
    this.#queued += bytes.length;
    this.pump();
  }

  /** The sender is through ('end'), or its socket broke ('reset'). */
  arriveEnding(ending: 'end' | 'reset'): void {
    if (this.#isClosed) return;
    if (this.#weather.blackhole === 'swallow') {
      this.#hasLost = true;
      return;
    }
    this.#queue.push({ ending, at: performance.now() });
    this.pump();
  }

  /** What is under way when a swallowing blackhole begins is gone too. */
  loseQueued(): void {
    if (this.#queue.length > 0) this.#hasLost = true;
    this.#queue = [];
    this.#queued = 0;
    this.pump();
  }

  /** Delivers whatever may go now; called again whenever one of the reasons to wait has changed. */
  pump(): void {
    // A rule's `match` that changes the weather brings us here in the middle of a delivery; the loop sees the change.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.#deliverDue();
    } finally {
      this.#isPumping = false;
    }
    if (this.#isClosed || !this.#source) return;
    if (this.#queued > HIGH_WATER) this.#source.pause();
    else if (this.#source.isPaused()) this.#source.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  #deliverDue(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (!this.#isClosed && !this.#isHeld && this.#sink && this.#weather.blackhole === 'off') {
      const item = this.#queue[0];
      if (!item) break;
      const wait = item.at + this.#weather.delay - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(wait));
        break;
      }
      if (this.#sink.writableNeedDrain && !this.#sink.destroyed) break;
      this.#queue.shift();
      this.#deliver(item, this.#sink);
    }
  }

  #deliver(item: Item, sink: Socket): void {
    if ('bytes' in item) {
      this.#queued -= item.bytes.length;
      this.#sifter.push(item.bytes);
      return;
    }
    this.#sifter.flush();
    if (item.ending === 'end') sink.end();
    else reset(sink);
  }

  #hold(rest: Buffer): () => void {
    this.#isHeld = true;
    this.#queue.unshift({ bytes: rest, at: Number.NEGATIVE_INFINITY });
    this.#queued += rest.length;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#isHeld = false;
      this.pump();
    };
  }
}
