import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { errorKinds } from '../src/errors.ts';
import * as protocol from '../src/index.ts';

const guide = readFileSync(new URL('../../../docs/guides/errors.md', import.meta.url), 'utf8');

/** The cells of the table under a heading, a list for each row, without the two rows of the head. */
function tableUnder(heading: string): string[][] {
  const section = guide.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

describe('docs/guides/errors.md', () => {
  it('has a line for each code in the table of errors, in its order, and no other', () => {
    const expected = errorKinds.map(({ make, code, errno, closes, retryable }) => [
      `\`${make.name}\``,
      `\`${code}\``,
      String(errno),
      closes ? 'ends' : errno === 0 ? '—' : 'stays',
      retryable ? 'yes' : 'no',
    ]);
    expect(tableUnder('All codes').map((cells) => cells.slice(0, 5))).toEqual(expected);
  });

  it('says of each when it comes', () => {
    const rows = tableUnder('All codes');
    expect(rows.length).toBeGreaterThan(30);
    for (const cells of rows) {
      expect(cells).toHaveLength(7);
      expect(cells[5]).not.toBe('');
    }
  });

  it('names every class of error', () => {
    const classes = Object.keys(protocol).filter((name) => /^[A-Z].*Error$/.test(name));
    const named = [...tableUnder('All codes'), ...tableUnder('Classes that share a code')].map(
      ([first]) => first ?? '',
    );
    const missing = classes.filter((name) => !named.some((cell) => cell.startsWith(`\`${name}\``)));
    // The base of them all, which the text begins with.
    expect(missing).toEqual(['ZooKeeperError']);
  });

  it('names the fields that errors have', () => {
    for (const field of ['code', 'errno', 'path', 'operation', 'maybeApplied', 'retryable', 'cause']) {
      expect(guide).toContain(`\`${field}\``);
    }
  });
});
