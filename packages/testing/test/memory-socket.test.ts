import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { memorySocketPair } from '../src/index.ts';

describe('memorySocketPair', () => {
  it('carries bytes both ways, in order', async () => {
    const [a, b] = memorySocketPair();
    a.write('one');
    a.write('two');
    b.write('three');
    expect([String(await once(b, 'data')), String((await once(a, 'data'))[0])]).toEqual(['one', 'three']);
    a.destroy();
    await once(b, 'close');
  });

  it('ends the other end behind what was written, and closes both', async () => {
    const [a, b] = memorySocketPair();
    const seen: string[] = [];
    b.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
    b.on('end', () => seen.push('end'));
    a.resume();
    a.end('last words');
    await Promise.all([once(a, 'close'), once(b, 'close')]);
    expect(seen).toEqual(['last words', 'end']);
  });

  it('shows the other end that it was destroyed', async () => {
    const [a, b] = memorySocketPair();
    b.resume();
    a.destroy();
    await Promise.all([once(b, 'end'), once(b, 'close')]);
    expect(b.destroyed).toBe(true);
  });

  it('holds a writer back while nobody reads', async () => {
    const [a, b] = memorySocketPair();
    let written = 0;
    const chunk = Buffer.alloc(16 * 1024);
    while (written < 100 && a.write(chunk)) written += 1;
    expect(written).toBeLessThan(100);
    let read = 0;
    b.on('data', (bytes: Buffer) => {
      read += bytes.length;
    });
    await once(a, 'drain');
    expect(read).toBeGreaterThanOrEqual(written * chunk.length);
    a.destroy();
    await once(b, 'close');
  });
});
