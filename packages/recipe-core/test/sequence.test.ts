import { describe, expect, it } from '@jest/globals';
import { curatorTickets, kazooTickets, lineUp } from '../src/sequence.ts';

const lock = curatorTickets('lock-');
const id = (digit: string): string => digit.repeat(8).concat('-0000-4000-8000-', digit.repeat(12));
const node = (digit: string, number: string): string => `_c_${id(digit)}-lock-${number}`;
const order = (names: string[], ticketOf = lock): string[] => lineUp(names, ticketOf).map(({ name }) => name);

/** Every order of the names. */
function permutations(names: readonly string[]): string[][] {
  if (names.length < 2) return [[...names]];
  return names.flatMap((name, at) => permutations(names.toSpliced(at, 1)).map((rest) => [name, ...rest]));
}

describe('the order of Curator', () => {
  it('goes by the number, whatever stands before it', () => {
    const line = [node('f', '0000000001'), node('0', '0000000002'), node('a', '0000000010')];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('reads what follows the last occurrence of the token', () => {
    const line = ['_c_x-lock-9-lock-0000000001', 'lock-lock-0000000002', 'lock-0000000003'];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('counts every child: one without the token by its whole name', () => {
    const line = ['000', 'x-lock-0000000000', node('a', '0000000007'), 'latch-0000000001', 'zzz'];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('puts a znode of kazoo behind the numbers unless its hex begins with enough zeros', () => {
    const late = '0b5f4d7c9e8a4f2b8d6c1e3f5a7b9c0d__lock__0000000000';
    const early = '0000000001aa4f2b8d6c1e3f5a7b9c0d__lock__0000000009';
    const line = [node('a', '0000000001'), early, node('b', '0000000002'), late];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('sorts as Curator does, by text, wherever there is no overflow', () => {
    const names = [
      'lock-',
      'lock-12',
      '0000000004',
      'zz',
      'lock-x',
      '_c_a-lock-0000000003',
      'lock-0000000005',
      '1lock-0000000006',
    ];
    const key = (name: string): string => (name.includes('lock-') ? name.slice(name.lastIndexOf('lock-') + 5) : name);
    const byText = names.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(order(names)).toEqual(byText);
    expect(order(names.toReversed())).toEqual(byText);
  });
});

describe('the overflow of the sequence', () => {
  it('goes on from 2147483647 with -2147483648', () => {
    const line = [node('d', '2147483646'), node('c', '2147483647'), node('b', '-2147483648'), node('a', '-2147483647')];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('goes on from -1 with 0, and reads negative numbers of ten characters', () => {
    const line = [node('d', '-000000002'), node('c', '-000000001'), node('b', '0000000000'), node('a', '0000000001')];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('keeps other children where they stand', () => {
    const line = ['000', node('c', '2147483647'), node('b', '-2147483648'), 'zzz'];
    for (const names of permutations(line)) expect(order(names)).toEqual(line);
  });

  it('leaves equal numbers in the order of the list, for the age to decide', () => {
    const names = [node('b', '2147483647'), node('a', '2147483647'), node('c', '2147483646')];
    expect(order(names)).toEqual([names[2], names[0], names[1]]);
  });
});

describe('the order of kazoo', () => {
  const kazoo = kazooTickets(['__lock__', '-lock-']);
  const hex = (digit: string): string => digit.repeat(32);

  it('goes by the number behind a pattern and ignores other children', () => {
    const line = [`${hex('f')}__lock__0000000001`, node('0', '0000000002'), `${hex('a')}__lock__0000000003`];
    const others = ['000', 'zzz', `${hex('0')}__rlock__0000000000`, `${hex('0')}__lock__`, `${hex('0')}__lock__1`];
    for (const names of permutations(line)) expect(order([...others, ...names], kazoo)).toEqual(line);
  });

  it('compares numbers with wrap-around', () => {
    const line = [`${hex('f')}__lock__2147483647`, `${hex('a')}__lock__-2147483648`];
    for (const names of permutations(line)) expect(order(names, kazoo)).toEqual(line);
  });
});
