import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const packages = new URL('../../', import.meta.url);
const page = readFileSync(new URL('../../../docs/internals/known-failures.md', import.meta.url), 'utf8');

/** The rows of all tables under headings that the test picks, as cells. */
function rows(picked: (heading: string) => boolean): string[][] {
  return page
    .split('\n## ')
    .slice(1)
    .filter((section) => picked(section.slice(0, section.indexOf('\n'))))
    .flatMap((section) => section.split('\n').filter((line) => line.startsWith('| ')))
    .map((line) => line.slice(2, -2).split(' | '))
    .filter(([first]) => first !== 'reported as' && first !== 'seen with' && first !== '---');
}

const built = rows((heading) => heading !== 'Not built yet');
const named = built.flatMap(([, , , tests = '']) =>
  tests.split('<br>').map((test) => {
    const [, file = '', title = ''] = /^`([^`]+)` "(.+)"$/.exec(test) ?? [];
    return { test, file, title };
  }),
);

const texts = new Map<string, string>();
function textOf(file: string): string | null {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const path = new URL(file, packages);
  if (!existsSync(path)) return null;
  const text = readFileSync(path, 'utf8');
  texts.set(file, text);
  return text;
}

/** Whether a title stands there as a whole text of the source. */
function holds(text: string, title: string): boolean {
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
}

describe('docs/internals/known-failures.md', () => {
  it('has rows of four cells, with a test in each; what is not built has three', () => {
    expect(built.length).toBeGreaterThan(90);
    expect(built.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
    const missing = rows((heading) => heading === 'Not built yet');
    expect(missing.filter((cells) => cells.length !== 3 || cells.includes(''))).toEqual([]);
  });

  it('names tests by file and title', () => {
    expect(named.filter(({ file, title }) => file === '' || title === '').map(({ test }) => test)).toEqual([]);
  });

  it('names no test that does not exist', () => {
    const unknown = named.filter(({ file, title }) => {
      const text = textOf(file);
      return text === null || !holds(text, title);
    });
    expect(unknown.map(({ test }) => test)).toEqual([]);
  });

  it('names tests that are run', () => {
    const files = new Set(named.map(({ file }) => file));
    // Cases are run by the contract's own test files; what the others register, by those beside them.
    const others = [...files].filter((file) => !file.endsWith('.test.ts') && !file.startsWith('contract/src/cases/'));
    expect(others.sort()).toEqual([
      'client/test/watch-proofs/ensemble-watches.ts',
      'client/test/watches/mode-cases.ts',
      'locks/test/real/follower-death.ts',
    ]);
    for (const file of [...files].filter((each) => each.startsWith('contract/src/cases/'))) {
      expect(textOf('contract/src/cases/index.ts')).toContain(`./${file.slice('contract/src/cases/'.length)}`);
    }
  });

  it('leaves out none of the files that were written for it', () => {
    const own = readdirSync(fileURLToPath(new URL('client/test/known-failures', packages)))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `client/test/known-failures/${name}`);
    expect(own.length).toBeGreaterThan(5);
    const files = new Set(named.map(({ file }) => file));
    expect([...own, 'locks/test/known-failures.test.ts'].filter((file) => !files.has(file))).toEqual([]);
  });
});
