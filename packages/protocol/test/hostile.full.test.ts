import { describe, expect, it, jest } from '@jest/globals';
import { golden } from './support/golden.ts';
import { judgeFrame } from './support/judge-frame.ts';
import { mutate, numbers } from './support/mutate.ts';

jest.setTimeout(600_000);

const FRAMES = 1_000_000;
const BATCH = 1_000;

describe('a million frames that are not what they should be', () => {
  it('are read or refused, none hangs, and none makes more than its length allows', () => {
    const pick = numbers(1);
    const others = golden.map(({ body }) => body);
    const verdicts = { read: 0, refused: 0 };
    let slowest = 0;
    for (let done = 0; done < FRAMES; done += BATCH) {
      const before = process.cpuUsage().user;
      for (let left = BATCH; left > 0; left -= 1) {
        const { body, kind } = golden[pick(golden.length)] as (typeof golden)[number];
        verdicts[judgeFrame(mutate(body, pick, others), kind)] += 1;
      }
      slowest = Math.max(slowest, process.cpuUsage().user - before);
    }
    expect(verdicts.read + verdicts.refused).toBe(FRAMES);
    expect(verdicts.read).toBeGreaterThan(FRAMES / 20);
    expect(verdicts.refused).toBeGreaterThan(FRAMES / 20);
    // µs of CPU. A thousand take some milliseconds, and the collection of garbage its time: there is none that takes seconds.
    expect(slowest).toBeLessThan(5_000_000);
  });
});
