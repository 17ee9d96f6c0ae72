#!/usr/bin/env node
// Proves that the linter still refuses what the layers forbid: plants files in a temporary copy of the workspace's
// skeleton and compares what Biome says of each with what is expected. A rule that is lost by an edit of biome.json
// fails here, and so does one that refuses an allowed import.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const direction = 'style/noRestrictedImports';
const undeclared = 'correctness/noUndeclaredDependencies';

const from = (specifier) => `export { thing } from '${specifier}';\n`;

/** What a package's src may import, of all the packages there are. */
const may = {
  'jute-ts': [],
  protocol: ['jute-ts'],
  testing: ['jute-ts', '@zookit/protocol', '@zookit/protocol/internal'],
  client: ['jute-ts', '@zookit/protocol', '@zookit/protocol/internal'],
  'recipe-core': ['@zookit/client', '@zookit/client/internal'],
  locks: ['@zookit/client', '@zookit/client/internal', '@zookit/recipe-core', '@zookit/recipe-core/internal'],
  discovery: [
    '@zookit/cache',
    '@zookit/client',
    '@zookit/client/internal',
    '@zookit/group',
    '@zookit/recipe-core',
    '@zookit/recipe-core/internal',
  ],
  zookit: [
    '@zookit/cache',
    '@zookit/client',
    '@zookit/discovery',
    '@zookit/group',
    '@zookit/leader',
    '@zookit/locks',
    '@zookit/recipe-core',
  ],
};
const doors = [
  'jute-ts',
  'zookit',
  ...['protocol', 'client', 'recipe-core', 'testing', 'locks', 'leader', 'cache', 'group', 'discovery'].flatMap(
    (name) => [`@zookit/${name}`, `@zookit/${name}/internal`],
  ),
];

// [file, text, the rule that must refuse it; null: nothing may].
const cases = Object.entries(may).flatMap(([name, allowed]) =>
  doors.map((door, at) => [
    `packages/${name}/src/door-${at}.ts`,
    from(door),
    allowed.includes(door) ? null : direction,
  ]),
);
cases.push(
  ['packages/client/src/deep-src.ts', from('@zookit/protocol/src/records.ts'), direction],
  ['packages/client/src/deep-dist.ts', from('@zookit/protocol/dist/records.js'), direction],
  ['packages/client/src/around.ts', from('../../protocol/src/records.ts'), direction],
  ['packages/client/src/own-test.ts', from('../test/support.ts'), direction],
  ['packages/client/src/own.ts', 'export const own = 1;\n', null],
  ['packages/client/src/own-user.ts', "export { own } from './own.ts';\n", null],
  ['packages/client/src/as-type.ts', "export type { Thing } from '@zookit/testing';\n", direction],
  ['packages/client/src/dynamic.ts', "export const thing = await import('@zookit/testing');\n", direction],
  ['packages/client/src/import-type.ts', "export type Thing = import('@zookit/testing').Thing;\n", 'plugin'],
  ['packages/client/test/own.test.ts', from('../src/own.ts'), null],
  ['packages/client/test/deeper/own.test.ts', from('../../src/own.ts'), null],
  ['packages/client/test/testing.test.ts', from('@zookit/testing'), null],
  ['packages/client/test/around.test.ts', from('../../protocol/src/records.ts'), direction],
  ['packages/client/test/deep.test.ts', from('@zookit/testing/dist/index.js'), direction],
  // A recipe package that biome.json has never heard of is held to the rule of recipes.
  ['packages/leader/src/core.ts', from('@zookit/recipe-core'), null],
  ['packages/leader/src/other-recipe.ts', from('@zookit/locks'), direction],
  // Private workspaces stand on top of everything, but come in by the doors.
  ['packages/contract/src/door.ts', from('@zookit/locks'), null],
  ['packages/contract/src/deep.ts', from('@zookit/locks/src/mutex.ts'), direction],
  ['packages/client/src/undeclared.ts', from('left-pad'), undeclared],
  ['packages/client/src/dev-only.ts', from('@jest/globals'), undeclared],
  [
    'packages/client/src/cycle-a.ts',
    "export { b } from './cycle-b.ts';\nexport const a = 1;\n",
    'suspicious/noImportCycles',
  ],
  [
    'packages/client/src/cycle-b.ts',
    "export { a } from './cycle-a.ts';\nexport const b = 1;\n",
    'suspicious/noImportCycles',
  ],
  ['packages/client/src/work.ts', 'export async function work(): Promise<number> {\n  return 1;\n}\n', null],
  ['packages/client/src/floats.ts', "import { work } from './work.ts';\n\nwork();\n", 'nursery/noFloatingPromises'],
  ['packages/client/src/default.ts', 'export default 1;\n', 'style/noDefaultExport'],
  ['packages/client/jest.config.js', 'export default {};\n', null],
  ['packages/zookit/src/code.ts', 'export const thing = 1;\n', 'plugin'],
  ['packages/zookit/src/uses.ts', "import { thing } from '@zookit/client';\n\nthing();\n", 'plugin'],
  ['packages/zookit/src/names.ts', from('@zookit/client'), null],
  ['packages/zookit/src/types.ts', "export type { Thing } from '@zookit/client';\n", null],
  ['packages/zookit/src/all.ts', "export * from '@zookit/client';\n", null],
);

function plant(folder) {
  for (const file of ['biome.json', '.gitignore', 'package.json']) cpSync(join(root, file), join(folder, file));
  cpSync(join(root, 'scripts/lint'), join(folder, 'scripts/lint'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'packages'))) {
    mkdirSync(join(folder, 'packages', name), { recursive: true });
    cpSync(join(root, 'packages', name, 'package.json'), join(folder, 'packages', name, 'package.json'));
  }
  for (const [file, text] of cases) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}

/** The rules that refused each file. */
function refusals(folder) {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const run = spawnSync(process.execPath, [biome, 'lint', '--reporter=json', '--max-diagnostics=none', 'packages'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const found = new Map(cases.map(([file]) => [file, new Set()]));
  for (const { category, location } of JSON.parse(run.stdout).diagnostics) {
    found.get(location.path)?.add(category.replace(/^lint\//, ''));
  }
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'zookit-direction-'));
try {
  plant(folder);
  const found = refusals(folder);
  let failed = 0;
  for (const [file, text, expected] of cases) {
    const rules = found.get(file);
    const right = expected === null ? !rules.has(direction) && !rules.has('plugin') : rules.has(expected);
    if (right) continue;
    failed += 1;
    console.error(
      `${file}: expected ${expected ?? 'no refusal'}, got ${[...rules].join(', ') || 'none'}\n  ${text.trim()}`,
    );
  }
  console.log(`import direction: ${cases.length - failed} of ${cases.length} planted files judged as expected`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
