import { describe, expect, it } from '@jest/globals';
import type { QueuedCall } from '../src/calls/call.ts';
import { CallQueue } from '../src/calls/queue.ts';

const call = (order: number): QueuedCall => ({ order, before: null, after: null }) as unknown as QueuedCall;
const drain = (queue: CallQueue): number[] => {
  const orders: number[] = [];
  for (let next = queue.shift(); next !== null; next = queue.shift()) orders.push(next.order);
  return orders;
};

describe('the queue of calls', () => {
  it('gives calls out in the order in which they were made, however they came in', () => {
    const queue = new CallQueue();
    for (const order of [5, 1, 9, 3, 2, 8, 4, 0, 7, 6]) queue.add(call(order));
    expect(queue.length).toBe(10);
    expect(drain(queue)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([queue.length, queue.shift()]).toEqual([0, null]);
  });

  it('puts those that are sent again before those that have not been sent', () => {
    const queue = new CallQueue();
    for (const order of [10, 11, 12]) queue.add(call(order));
    for (const order of [0, 1, 2]) queue.add(call(order));
    expect(drain(queue)).toEqual([0, 1, 2, 10, 11, 12]);
  });

  it('lets any call leave, once', () => {
    for (let leaving = 0; leaving < 4; leaving += 1) {
      const queue = new CallQueue();
      const calls = [0, 1, 2, 3].map(call);
      for (const each of calls) queue.add(each);
      queue.remove(calls[leaving] as QueuedCall);
      queue.remove(calls[leaving] as QueuedCall);
      expect(queue.length).toBe(3);
      expect(drain(queue)).toEqual([0, 1, 2, 3].filter((order) => order !== leaving));
    }
  });

  it('is not disturbed by one that is not in it', () => {
    const queue = new CallQueue();
    queue.remove(call(1));
    queue.add(call(2));
    queue.remove(call(2));
    expect(queue.length).toBe(1);
  });

  it('is empty when the only one has left, and can be used again', () => {
    const queue = new CallQueue();
    const only = call(1);
    queue.add(only);
    queue.remove(only);
    expect([queue.length, queue.shift()]).toEqual([0, null]);
    queue.add(only);
    queue.add(call(0));
    expect(drain(queue)).toEqual([0, 1]);
  });

  it('gives out what a test picks, in order, and keeps the rest', () => {
    const queue = new CallQueue();
    for (let order = 0; order < 9; order += 1) queue.add(call(order));
    expect(queue.takeWhere(({ order }) => order % 3 !== 1).map(({ order }) => order)).toEqual([0, 2, 3, 5, 6, 8]);
    expect(queue.length).toBe(3);
    queue.add(call(2));
    expect(drain(queue)).toEqual([1, 2, 4, 7]);
    expect(queue.takeWhere(() => true)).toEqual([]);
  });

  it('does as a sorted list does, over thousands of random steps', () => {
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const queue = new CallQueue();
    let model: QueuedCall[] = [];
    let order = 0;
    const outside: QueuedCall[] = [];
    for (let step = 0; step < 5_000; step += 1) {
      const what = random(4);
      if (what === 0) {
        const made = call(order);
        order += 1;
        queue.add(made);
        model.push(made);
      } else if (what === 1) {
        const taken = queue.shift();
        expect(taken).toBe(model.shift() ?? null);
        if (taken !== null) outside.push(taken);
      } else if (what === 2 && model.length > 0) {
        const [gone] = model.splice(random(model.length), 1) as [QueuedCall];
        queue.remove(gone);
      } else if (outside.length > 0) {
        const [again] = outside.splice(random(outside.length), 1) as [QueuedCall];
        queue.add(again);
        model = [...model, again].sort((a, b) => a.order - b.order);
      }
      expect(queue.length).toBe(model.length);
    }
    expect(drain(queue)).toEqual(model.map((each) => each.order));
  });
});
