import { describe, expect, it } from '@jest/globals';
import { AfterMicrotasks, afterMicrotasks } from '../src/after-microtasks.ts';

/** Resolves when ticks and microtasks have all run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('AfterMicrotasks', () => {
  it('works once for all who ask, after the microtasks that microtasks queue', async () => {
    const seen: string[] = [];
    const after = new AfterMicrotasks(() => seen.push('work'));
    queueMicrotask(() => {
      seen.push('first');
      queueMicrotask(() => seen.push('second'));
    });
    after.ask(false);
    after.ask(true);
    expect(seen).toEqual([]);
    await turn();
    expect(seen).toEqual(['first', 'second', 'work']);
  });

  it('works again for whoever asks later, from its own work too', async () => {
    let times = 0;
    const after: AfterMicrotasks = new AfterMicrotasks(() => {
      times += 1;
      if (times === 2) after.ask(false);
    });
    after.ask(false);
    await turn();
    expect(times).toBe(1);
    after.ask(true);
    await turn();
    expect(times).toBe(3);
  });

  it.each([
    [true, ['tick', 'microtask of the tick', 'work']],
    [false, ['tick', 'work', 'microtask of the tick']],
  ])('asked by a tick right before its own, strictly: %s', async (strictly, order) => {
    const seen: string[] = [];
    const after = new AfterMicrotasks(() => seen.push('work'));
    queueMicrotask(() =>
      process.nextTick(() => {
        seen.push('tick');
        queueMicrotask(() => seen.push('microtask of the tick'));
        after.ask(strictly);
      }),
    );
    after.ask(false);
    await turn();
    expect(seen).toEqual(order);
  });
});

describe('afterMicrotasks', () => {
  it('runs after the microtasks, before I/O', async () => {
    const seen: string[] = [];
    afterMicrotasks(() => seen.push('work'));
    queueMicrotask(() => queueMicrotask(() => seen.push('microtask')));
    await turn();
    expect(seen).toEqual(['microtask', 'work']);
  });
});
