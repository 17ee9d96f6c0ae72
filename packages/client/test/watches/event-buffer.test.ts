import { describe, expect, it } from '@jest/globals';
import type { PersistentWatchEvent } from '../../src/index.ts';
import { EventBuffer } from '../../src/watches/event-buffer.ts';

function event(index: number): PersistentWatchEvent {
  return { type: 'changed', path: `/${index}` };
}

/** All that can be read without a wait. */
async function drain(buffer: EventBuffer): Promise<string[]> {
  const read: string[] = [];
  const reader = buffer.iterate();
  for (;;) {
    const next = await Promise.race([reader.next(), new Promise<null>((resolve) => setImmediate(() => resolve(null)))]);
    if (next === null || next.done) break;
    read.push(`${next.value.type} ${next.value.path}`);
  }
  await reader.return?.();
  return read;
}

describe('the events of a watch that wait for their reader', () => {
  it('come in order, whether they were there first or the reader was', async () => {
    const buffer = new EventBuffer('/w');
    buffer.push(event(1));
    buffer.push(event(2));
    const reader = buffer.iterate();
    const read = [reader.next(), reader.next(), reader.next(), reader.next()];
    buffer.push(event(3));
    buffer.push(event(4));
    expect((await Promise.all(read)).map(({ value }) => value?.path)).toEqual(['/1', '/2', '/3', '/4']);
  });

  it.each([1_001, 1_002, 2_500])('are 1,000, and one resync, of %i', async (count) => {
    const buffer = new EventBuffer('/w');
    for (let i = 0; i < count; i += 1) buffer.push(event(i));
    const read = await drain(buffer);
    expect(read).toHaveLength(1_001);
    expect(read.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, i) => `changed /${i}`));
    expect(read.at(-1)).toBe('resync /w');
  });

  it('go on behind the resync once there is room again', async () => {
    const buffer = new EventBuffer('/w');
    for (let i = 0; i < 1_500; i += 1) buffer.push(event(i));
    const reader = buffer.iterate();
    for (let i = 0; i < 600; i += 1) await reader.next();
    for (let i = 2_000; i < 2_010; i += 1) buffer.push(event(i));
    const read = await drain(buffer);
    expect(read).toHaveLength(411);
    expect(read.slice(399, 402)).toEqual(['changed /999', 'resync /w', 'changed /2000']);
    for (let i = 0; i < 1_000; i += 1) buffer.push(event(i));
    expect(await drain(buffer)).toHaveLength(1_000);
  });

  it('can still be read after the end; a failure is thrown behind them, once', async () => {
    const buffer = new EventBuffer('/w');
    buffer.push(event(1));
    buffer.end(new Error('broken'));
    buffer.push(event(2));
    const reader = buffer.iterate();
    expect(await reader.next()).toEqual({ done: false, value: event(1) });
    await expect(reader.next()).rejects.toThrow('broken');
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('are not swallowed by a reader that has left while it waited', async () => {
    const buffer = new EventBuffer('/w');
    const [one, two] = [buffer.iterate(), buffer.iterate()];
    const waiting = [one.next(), two.next()];
    expect(await one.return?.()).toEqual({ done: true, value: undefined });
    buffer.push(event(1));
    buffer.push(event(2));
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: false, value: event(1) },
    ]);
    expect(await one.next()).toEqual({ done: true, value: undefined });
    expect(await two.next()).toEqual({ done: false, value: event(2) });
  });

  it('end for all who wait', async () => {
    const buffer = new EventBuffer('/w');
    const reader = buffer.iterate();
    const waiting = [reader.next(), buffer.iterate().next()];
    buffer.end();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });
});
