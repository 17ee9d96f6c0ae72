import { describe, expect, it } from '@jest/globals';
import { InFlight } from '../src/in-flight.ts';
import { zooKeeperError } from '../src/index.ts';
import { Probe } from './support/wire.ts';

describe('InFlight', () => {
  it('gives requests back in the order in which they came, over any number of rounds and growths', () => {
    const ring = new InFlight();
    const expected: Probe[] = [];
    // Pushes and shifts in uneven steps, so that the head wanders and the ring grows while it is wrapped around.
    for (let round = 0; round < 200; round += 1) {
      for (let i = 0; i < round % 23; i += 1) {
        const probe = new Probe();
        expected.push(probe);
        ring.push(probe);
      }
      for (let i = 0; i < round % 19; i += 1) expect(ring.shift()).toBe(expected.shift());
      expect(ring.length).toBe(expected.length);
      expect(ring.first()).toBe(expected[0]);
    }
    expect(expected.length).toBeGreaterThan(64);
    while (expected.length > 0) expect(ring.shift()).toBe(expected.shift());
    expect(ring.shift()).toBeUndefined();
    expect(ring.length).toBe(0);
  });

  it('is empty to begin with', () => {
    const ring = new InFlight();
    expect([ring.length, ring.first(), ring.shift()]).toEqual([0, undefined, undefined]);
  });

  it('fails all of them once, in order, and is empty then', () => {
    const ring = new InFlight();
    const failed: number[] = [];
    const error = zooKeeperError('CONNECTION_LOSS');
    for (let i = 0; i < 40; i += 1) {
      const probe = new Probe();
      probe.onFailure = (cause) => {
        expect(cause).toBe(error);
        expect(ring.first()).not.toBe(probe);
        failed.push(i);
      };
      ring.push(probe);
    }
    ring.failAll(error);
    expect(failed).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(ring.length).toBe(0);
    ring.failAll(error);
    expect(failed).toHaveLength(40);
  });
});
