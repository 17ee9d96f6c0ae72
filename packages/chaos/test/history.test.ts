import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FOREVER, type Line, LineFile, readHistory } from '../src/history.ts';

const lines: Line[] = [
  { what: 'granted', token: '7', at: '10' },
  { what: 'token write', token: '7', sent: '11', answered: '12', accepted: true },
  { what: 'guarded write', token: '7', begun: '11', late: false, zxid: '9', outcome: 'applied' },
  { what: 'ended', token: '7', at: '20', seen: '19', end: 'lost' },
  { what: 'guarded write', token: '7', begun: '21', late: true, zxid: null, outcome: 'NO_NODE' },
  { what: 'granted', token: '8', at: '30' },
];
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zookit-history-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function textOf(name: string): string {
  const path = join(folder, name);
  const file = new LineFile<Line>(path);
  for (const line of lines) file.write(line);
  file.close();
  return readFileSync(path, 'utf8');
}

describe('a record', () => {
  it('says what a contender did, and when it was dead', () => {
    expect(readHistory('a', textOf('dead'), 40n)).toEqual({
      contender: 'a',
      holds: [
        { contender: 'a', token: 7n, from: 10n, to: 20n, seen: 19n, end: 'lost' },
        { contender: 'a', token: 8n, from: 30n, to: 40n, seen: 30n, end: 'killed' },
      ],
      tokenWrites: [{ contender: 'a', token: 7n, sent: 11n, answered: 12n, accepted: true }],
      guardedWrites: [
        { contender: 'a', token: 7n, begun: 11n, late: false, zxid: 9n },
        { contender: 'a', token: 7n, begun: 21n, late: true, zxid: null },
      ],
    });
  });

  it('of one that is not known to be dead leaves its last hold open', () => {
    expect(readHistory('a', textOf('alive'), null).holds.at(-1)).toMatchObject({ to: FOREVER, end: 'open' });
  });

  it('that is not whole is refused', () => {
    expect(() => readHistory('a', '{"what":"granted","token', null)).toThrow(SyntaxError);
    expect(() => readHistory('a', JSON.stringify(lines[3]), null)).toThrow('a ended what it never held');
  });
});
