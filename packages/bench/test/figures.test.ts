import { describe, expect, it } from '@jest/globals';
import { inRounds, isMet, median, type Row, ratio } from '../src/bench.ts';
import { chartOf } from '../src/chart.ts';
import { pageOf, tableOf } from '../src/report.ts';

const row: Row = {
  workload: 'get <100 B>',
  unit: 'µs CPU',
  base: 'floor',
  // The machine was slower in some rounds, and for all that were asked in them.
  samples: { floor: [10, 20, 10, 30, 10], zookit: [15, 30, 15, 45, 15], other: [20, 20, 20, 20, 20] },
  target: { ratio: 1.5 },
};

describe('inRounds', () => {
  it('asks each client once a round, another first each time', async () => {
    const asked: string[] = [];
    const measure = (name: string) => async (): Promise<number> => asked.push(name);
    const samples = await inRounds(3, { a: measure('a'), b: measure('b'), c: measure('c') });
    expect(asked.join('')).toBe('abcbcacab');
    expect(samples).toEqual({ a: [1, 6, 8], b: [2, 4, 9], c: [3, 5, 7] });
  });
});

describe('the figures', () => {
  it('are medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('are compared within each round', () => {
    expect(ratio(row, 'zookit')).toBe(1.5);
    expect(ratio(row, 'other')).toBe(2);
  });

  it.each<[string, Partial<Row>, boolean | null]>([
    ['a ratio that is just reached', {}, true],
    ['a ratio that is missed', { target: { ratio: 1.49 } }, false],
    ['so much more than the base', { target: { more: 5 } }, true],
    ['too much more than the base', { target: { more: 4.9 } }, false],
    ['a figure', { target: { most: 15 } }, true],
    ['a figure that is missed', { target: { most: 14 } }, false],
    ['nothing to compare with', { base: 'gone' }, null],
    ['a figure without a base', { base: 'gone', target: { most: 15 } }, true],
  ])('are held against the target: %s', (_name, change, met) => {
    expect(isMet({ ...row, ...change })).toBe(met);
  });

  it('are held against no target where there is none', () => {
    const { target: _none, ...free } = row;
    expect(isMet(free)).toBeNull();
  });
});

describe('what is written', () => {
  it('is a table: medians, ratios, and whether zookit is where it is to be', () => {
    const half: Row = { ...row, workload: 'set', samples: { zookit: [1_234.5], other: [0.5] }, target: { most: 1 } };
    expect(tableOf([row, half]).split('\n')).toEqual([
      '| workload | floor | zookit | other | target | reached |',
      '| --- | --: | --: | --: | --- | --- |',
      '| get <100 B>, µs CPU | 10.0 | 15.0 (1.50) | 20.0 (2.00) | ≤ 1.5 × floor | yes |',
      '| set, µs CPU |  | 1,235 | 0.50 | ≤ 1 | **no** |',
    ]);
  });

  it('is a page that says what it was made with, and what was not at hand', () => {
    const programs = [
      { name: 'floor', version: '', command: '', args: [] },
      { name: 'other', version: '1.2', command: '', args: [] },
    ];
    const page = pageOf([row], {
      server: 'Apache ZooKeeper 3.9.5',
      node: '20.19.0',
      rounds: 9,
      programs,
      missing: ['kazoo (no Python)'],
    });
    expect(page).toContain('Apache ZooKeeper 3.9.5');
    expect(page).toContain('9 rounds');
    expect(page).toContain('Clients: floor, other 1.2. Not at hand: kazoo (no Python).');
    expect(page).toContain(tableOf([row]));
  });

  it('is a chart with a bar for each client but the floor, and its ratio in figures', () => {
    const chart = chartOf([row, { ...row, base: 'other' }]);
    expect(chart).toContain('get &lt;100 B&gt;');
    expect(chart.match(/<text [^>]*font-size="9">[\d.]+</g)).toEqual([
      expect.stringMatching(/>1\.50<$/),
      expect.stringMatching(/>2\.00<$/),
    ]);
  });
});
