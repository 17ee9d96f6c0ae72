import type { QueuedCall } from './call.ts';

/** Calls that wait to be sent, in the order in which they were made. Any of them can leave at any time. */
export class CallQueue {
  #first: QueuedCall | null = null;
  #last: QueuedCall | null = null;
  #length = 0;
  /** The call that was last put in between others: those that are sent again come in order, each behind the one before. */
  #inserted: QueuedCall | null = null;

  get length(): number {
    return this.#length;
  }

  /** Adds a call at its place: nearly always the end, but the front for one that is sent again. */
  add(call: QueuedCall): void {
    let before = this.#last;
    if (before !== null && before.order > call.order) {
      const from = this.#inserted !== null && this.#inserted.order < call.order ? this.#inserted : null;
      before = from;
      this.#inserted = call;
      for (
        let next = from === null ? this.#first : from.after;
        next !== null && next.order < call.order;
        next = next.after
      )
        before = next;
    }
    const after = before === null ? this.#first : before.after;
    call.before = before;
    call.after = after;
    if (before === null) this.#first = call;
    else before.after = call;
    if (after === null) this.#last = call;
    else after.before = call;
    this.#length += 1;
  }

  shift(): QueuedCall | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }

  remove(call: QueuedCall): void {
    if (call.before === null && this.#first !== call) return;
    if (call === this.#inserted) this.#inserted = null;
    if (call.before === null) this.#first = call.after;
    else call.before.after = call.after;
    if (call.after === null) this.#last = call.before;
    else call.after.before = call.before;
    call.before = null;
    call.after = null;
    this.#length -= 1;
  }

  /** Takes out all calls that the test picks, in order. */
  takeWhere(test: (call: QueuedCall) => boolean): QueuedCall[] {
    const taken: QueuedCall[] = [];
    for (let call = this.#first; call !== null; ) {
      const { after } = call;
      if (test(call)) {
        this.remove(call);
        taken.push(call);
      }
      call = after;
    }
    return taken;
  }
}
