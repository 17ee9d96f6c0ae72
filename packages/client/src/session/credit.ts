/** How many short connections, in close succession, count as good ones. */
const CREDIT = 5;
/** How long until one of them is forgotten, in ms. */
const CREDIT_COMES_BACK = 10_000;
/** A connection that has lived so long, in ms, was a good one. */
const SOUND_AFTER = 1_000;

/**
 * A finished handshake starts a new count of attempts, but not for ever: a server that shakes hands and then hangs up, over and over, is no
 * better than one that refuses. Short connections have some credit, which comes back slowly, and lasts longer where they have served.
 */
export class Credit {
  #left = CREDIT;
  #at = 0;

  /** Whether a connection that lasted from `since` until `now`, in ms, counts as a good one; `served`: a reply came on it. */
  covers(since: number, now: number, served: boolean): boolean {
    if (now - since >= SOUND_AFTER) return true;
    this.#left = Math.min(CREDIT, this.#left + (now - this.#at) / CREDIT_COMES_BACK);
    this.#at = now;
    const price = served ? 0.1 : 1;
    if (this.#left < price) return false;
    this.#left -= price;
    return true;
  }
}
