import { expect } from '@jest/globals';
import { PathError, type ZooKeeper } from '@zookit/client';
import type { CaseGroup } from '../case.ts';
import { expectError } from '../expect-error.ts';

const BAD: Readonly<Record<string, string>> = {
  'is empty': '',
  'is relative': 'a/b',
  'ends in a slash': '/a/',
  'has an empty part': '/a//b',
  'starts with two slashes': '//a',
  'has the part "."': '/a/./b',
  'ends in "."': '/a/.',
  'has the part ".."': '/a/../b',
  'ends in ".."': '/a/..',
  'holds U+0000': '/a\u0000b',
  'holds U+0001': '/a\u0001',
  'holds U+001F': '/a\u001f',
  'holds U+007F': '/a\u007f',
  'holds U+009F': '/a\u009f',
  'holds half a surrogate pair': '/a\ud800',
  'holds a supplementary character': '/a\u{1F600}',
  'holds U+E000': '/a\ue000',
  'holds U+F8FF': '/a\uf8ff',
  'holds U+FFF0': '/a\ufff0',
  'holds U+FFFF': '/a\uffff',
};

/** Just beside what is forbidden, or odd in another way. */
const GOOD: readonly string[] = [
  '...',
  '.x',
  '..x',
  'x.',
  'x..',
  ' ',
  'a b',
  '~',
  '\u00a0',
  '\u00e9',
  'e\u0301',
  '\ud7ff',
  '\uf900',
  '\uffef',
  '日本',
  '%2F',
  '\\',
  '"',
  'zookeeper',
  'a'.repeat(1_000),
];

const operations: Readonly<Record<string, (zk: ZooKeeper, path: string) => Promise<unknown>>> = {
  create: (zk, path) => zk.create(path),
  'create with parents': (zk, path) => zk.create(path, null, { parents: true }),
  'protected create': (zk, path) => zk.create(path, null, { protected: true }),
  get: (zk, path) => zk.get(path),
  exists: (zk, path) => zk.exists(path),
  children: (zk, path) => zk.children(path),
  set: (zk, path) => zk.set(path, 'x'),
  delete: (zk, path) => zk.delete(path),
  'guaranteed delete': (zk, path) => zk.delete(path, { guaranteed: true }),
  sync: (zk, path) => zk.sync(path),
};

export const paths: CaseGroup = {
  name: 'paths',
  cases: [
    ...Object.entries(BAD).map(
      ([what, path]) =>
        ({
          name: `a path that ${what} is refused before anything is sent: PathError`,
          run: async (ctx) => {
            // It has no connection: whatever wanted to send would wait.
            const zk = ctx.client({ connectTimeout: 0 });
            for (const operation of Object.values(operations)) {
              await expectError(operation(zk, path), PathError, { code: 'BAD_ARGUMENTS', path });
            }
            expect(() => zk.namespace(path)).toThrow(PathError);
          },
        }) satisfies CaseGroup['cases'][number],
    ),
    {
      name: 'a path that is no string is refused before anything is sent: PathError',
      run: async (ctx) => {
        const zk = ctx.client({ connectTimeout: 0 });
        for (const path of [undefined, null, 1, {}, ['/a']] as unknown as string[]) {
          // sync has a default for a path that isn't given.
          const taking = Object.entries(operations).filter(([name]) => path !== undefined || name !== 'sync');
          for (const [, operation] of taking) await expectError(operation(zk, path), PathError);
        }
      },
    },
    {
      name: 'a sequential path may end in a slash, and in nothing else that is forbidden',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const make = (path: string) => zk.create(path, null, { mode: 'persistent-sequential' });
        expect((await make(`${ctx.base}/`)).path).toBe(ctx.at('0000000000'));
        for (const bad of [`${ctx.base}//`, `${ctx.base}/../`, 'a/', '']) await expectError(make(bad), PathError);
      },
    },
    {
      name: 'names that look odd are taken as they are',
      run: async (ctx) => {
        const zk = await ctx.connect();
        for (const name of GOOD) expect((await zk.create(ctx.at(name), name)).path).toBe(ctx.at(name));
        const { children } = await zk.children(ctx.base);
        expect([...children].sort()).toEqual([...GOOD].sort());
        for (const name of GOOD) expect((await zk.get(ctx.at(name))).data?.toString()).toBe(name);
      },
    },
  ],
};
