#!/usr/bin/env node
// Makes a package's JavaScript: bundle.mjs, in the package's folder, after the declarations. One file for each door and
// command, and one for what they share, because a service pays for each module when it starts.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const { exports: doors, bin = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
const entryPoints = [
  ...Object.values(doors).flatMap((door) => door['@zookit/source'] ?? []),
  ...Object.values(bin).map((command) => command.replace('dist/', 'src/').replace(/\.js$/, '.ts')),
];

// Of an earlier build; shared files have a new name with each change.
for (const file of readdirSync('dist', { recursive: true })) {
  if (/\.js(?:\.map)?$/.test(file)) rmSync(join('dist', file));
}

const { outputFiles } = await build({
  entryPoints,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'shared-[hash]',
  packages: 'external',
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  write: false,
});

// A class that mentions itself comes out as `var Name = class _Name`: people see that name when they look at an object.
for (const { path, text } of outputFiles) {
  const names = [...text.matchAll(/\bvar (\w+) = class _\1\b/g)].map(([, name]) => name);
  const own = names.reduce((code, name) => code.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name), text);
  writeFileSync(path, own);
}
