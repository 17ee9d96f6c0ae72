import { describe, expect, it } from '@jest/globals';
import { backoff } from '../src/ensemble/backoff.ts';
import { HostList } from '../src/ensemble/hosts.ts';

const hosts = (...names: string[]) => names.map((host) => ({ host, port: 2181 }));
const names = (list: HostList, count: number): string[] => Array.from({ length: count }, () => list.next().host.host);

describe('the backoff', () => {
  it('is nothing before the very first attempt, and a little jitter within the first round', () => {
    for (const random of [0, 0.5, 0.999_999]) {
      expect(backoff(0, true, () => random)).toBe(0);
      expect(backoff(0, false, () => random)).toBeGreaterThanOrEqual(0);
      expect(backoff(0, false, () => random)).toBeLessThanOrEqual(50);
    }
  });

  it('is at least a second in every later round, grows, and stays under 7.5 s', () => {
    let before = 0;
    for (let round = 1; round < 200; round += 1) {
      const least = backoff(round, false, () => 0);
      const most = backoff(round, false, () => 0.999_999);
      expect(least).toBeGreaterThanOrEqual(1_000);
      expect(least).toBeGreaterThanOrEqual(before);
      expect(most).toBeGreaterThan(least);
      expect(most).toBeLessThan(7_500);
      before = least;
    }
    expect(before).toBe(5_000);
  });

  it('is jittered by up to half as much again', () => {
    const waits = new Set(Array.from({ length: 20 }, (_, i) => backoff(3, false, () => i / 20)));
    expect(waits.size).toBe(20);
    expect(Math.max(...waits) / Math.min(...waits)).toBeLessThanOrEqual(1.5);
  });
});

describe('the list of hosts', () => {
  it('goes round and round in the order given, or in one that is drawn once', () => {
    const given = new HostList(hosts('a', 'b', 'c'), false, () => 0.5);
    expect(names(given, 7)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
    const drawn = new HostList(hosts('a', 'b', 'c', 'd', 'e'), true, Math.random);
    const round = names(drawn, 5);
    expect([...round].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(names(drawn, 5)).toEqual(round);
  });

  it('is shuffled evenly', () => {
    const first = new Map<string, number>();
    for (let i = 0; i < 3_000; i += 1) {
      const [name] = names(new HostList(hosts('a', 'b', 'c'), true, Math.random), 1) as [string];
      first.set(name, (first.get(name) ?? 0) + 1);
    }
    // Expected 1,000 each, standard deviation 26.
    for (const name of ['a', 'b', 'c']) expect(Math.abs((first.get(name) ?? 0) - 1_000)).toBeLessThan(160);
  });

  it('says how many hosts of the round are left, and waits after each round', () => {
    const list = new HostList(hosts('a', 'b'), false, () => 0);
    const seen = Array.from({ length: 5 }, () => list.next());
    expect(seen.map(({ untried }) => untried)).toEqual([2, 1, 2, 1, 2]);
    expect(seen.map(({ delay }) => delay)).toEqual([0, 0, 1_000, 1_000, 1_500]);
  });

  it('goes on with the next host after a success, with a new count', () => {
    const list = new HostList(hosts('a', 'b', 'c'), false, () => 0);
    names(list, 7);
    list.succeeded();
    expect(list.next()).toEqual({ host: { host: 'b', port: 2181 }, delay: 0, untried: 3 });
  });
});
