import { coreOf } from '@zookit/client/internal';
import {
  Bell,
  inRounds,
  leave,
  leaveLater,
  type Patience,
  PredecessorWatch,
  untilConnected,
} from '@zookit/recipe-core/internal';
import type { Presence } from './arrival.ts';
import type { Meeting, View } from './meeting.ts';

/** Leaves a double barrier; see `DoubleBarrier.leave`. */
export async function depart(meeting: Meeting, presence: Presence, patience: Patience): Promise<void> {
  const departure = new Departure(meeting, presence, patience);
  try {
    await inRounds(coreOf(meeting.zk), patience, () => departure.round());
  } finally {
    departure.end();
  }
}

class Departure {
  readonly #meeting: Meeting;
  readonly #presence: Presence;
  readonly #patience: Patience;
  readonly #bell = new Bell();
  readonly #ring = (): void => this.#bell.ring();
  readonly #unwatch = new AbortController();
  #watch: PredecessorWatch | null = null;
  #nodeIsGone = false;
  #isOver = false;

  constructor(meeting: Meeting, presence: Presence, patience: Patience) {
    this.#meeting = meeting;
    this.#presence = presence;
    this.#patience = patience;
    meeting.zk.on('reconnected', this.#ring);
    meeting.zk.on('renewed', this.#ring);
  }

  end(): void {
    this.#unwatch.abort();
    this.#watch?.cancel();
    this.#meeting.zk.off('reconnected', this.#ring);
    this.#meeting.zk.off('renewed', this.#ring);
    if (!this.#nodeIsGone) leaveLater(this.#meeting.zk, this.#presence.place.path);
  }

  async round(): Promise<'left' | 'again'> {
    const { signal } = this.#patience;
    const { name } = this.#presence.place;
    await untilConnected(this.#meeting.zk, this.#patience);
    this.#bell.clear();
    const view = await this.#meeting.look(signal);
    this.#nodeIsGone = view === null || !view.names.includes(name);
    if (view === null) return 'left';
    this.#isOver = view.ready?.czxid !== this.#presence.round;
    if (this.#isOver) return this.#afterTheEnd(view);
    const others = view.names.filter((each) => each !== name);
    const [lowest] = view.names;
    const highest = others.at(-1);
    if (highest === undefined || lowest === undefined) {
      // The last one puts out the lights.
      await this.#meeting.end(view, this.#nodeIsGone ? null : this.#presence.place.path, signal);
      return 'again';
    }
    // Curator's order: the lowest stays until it is the last.
    if (lowest === name) return this.#waitFor(highest);
    await this.#goOut();
    return this.#waitFor(lowest);
  }

  /** The round is over, or somebody has taken `ready` away: those who were in it may still be there. */
  async #afterTheEnd(view: View): Promise<'left' | 'again'> {
    await this.#goOut();
    const { place, round } = this.#presence;
    const present = await this.#meeting.stats(
      view.names.filter((name) => name !== place.name),
      this.#patience.signal,
    );
    const one = present.find(({ stat }) => stat.czxid < round);
    return one === undefined ? 'left' : this.#waitFor(one.name);
  }

  async #goOut(): Promise<void> {
    if (this.#nodeIsGone) return;
    await this.#patience.for(leave(this.#meeting.zk, this.#presence.place.path));
  }

  /** Until that one has gone, or the round is over. */
  async #waitFor(name: string): Promise<'again'> {
    const { signal } = this.#patience;
    const path = this.#meeting.pathOf(name);
    if (this.#watch?.path !== path) {
      this.#watch?.cancel();
      this.#watch = new PredecessorWatch(this.#meeting.zk, path, this.#ring);
    }
    const [isThere, ready] = await Promise.all([
      this.#watch.isSet || this.#patience.for(this.#watch.set()),
      this.#meeting.ready({ watch: this.#ring, watchSignal: this.#unwatch.signal, signal }),
    ]);
    const isOver = ready?.czxid !== this.#presence.round;
    if (isThere && isOver === this.#isOver) await this.#patience.for(this.#bell.heard());
    return 'again';
  }
}
