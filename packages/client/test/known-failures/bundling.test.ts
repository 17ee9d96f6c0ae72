import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const packages = fileURLToPath(new URL('../../..', import.meta.url));

interface Manifest {
  name: string;
  private?: boolean;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  exports?: Record<string, { '@zookit/source': string }>;
  files?: string[];
}

const manifests = new Map<string, { folder: string; manifest: Manifest }>();
for (const folder of readdirSync(packages)) {
  const file = join(packages, folder, 'package.json');
  if (!existsSync(file)) continue;
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  if (manifest.private !== true) manifests.set(manifest.name, { folder: join(packages, folder), manifest });
}

/** What services run, as against what their tests use. */
const running = [...manifests.keys()].filter((name) => name !== '@zookit/testing');

/** Every source file that an import of these files brings along, with what else they import. */
function closure(entries: readonly string[]): { files: Map<string, string>; others: Set<string> } {
  const files = new Map<string, string>();
  const others = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    const text = readFileSync(file, 'utf8').replace(/^import type .*?;$/gms, '');
    files.set(file, text);
    for (const [, target = ''] of text.matchAll(/\b(?:from|import)\s+'([^']+)'/g)) {
      if (target.startsWith('.')) waiting.push(join(dirname(file), target));
      else {
        const [, name = '', door = '.'] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(target) ?? [];
        const own = manifests.get(name);
        const source = own?.manifest.exports?.[door === '.' ? '.' : `./${door}`]?.['@zookit/source'];
        if (own === undefined || source === undefined) others.add(target);
        else waiting.push(join(own.folder, source));
      }
    }
  }
  return { files, others };
}

const doors = running.flatMap((name) => {
  const { folder, manifest } = manifests.get(name) as { folder: string; manifest: Manifest };
  return Object.values(manifest.exports ?? {})
    .map((door) => door['@zookit/source'])
    .filter((source) => source !== undefined)
    .map((source) => join(folder, source));
});

describe('the packages that services run', () => {
  it('are the ones this test looks at', () => {
    expect(running).toEqual(
      expect.arrayContaining(['jute-ts', '@zookit/protocol', '@zookit/client', '@zookit/locks', 'zookit']),
    );
    expect(closure(doors).files.size).toBeGreaterThan(60);
  });

  it('can be bundled into one file: nothing is found by its place on the disk', () => {
    const places =
      /\bimport\.meta\b|__dirname|__filename|\bcreateRequire\b|\brequire\s*\(|\bimport\s*\(|new Worker\b|\.node['"]/;
    const found = [...closure(doors).files].filter(([, text]) => places.test(text)).map(([file]) => file);
    expect(found).toEqual([]);
  });

  it('read no file, start no process or thread, and use no package but two small ones', () => {
    const others = [...closure(doors).others];
    const forbidden = /^node:(?:fs|child_process|cluster|module|path|url|vm|wasi|worker_threads)\b/;
    expect(others.filter((name) => forbidden.test(name))).toEqual([]);
    expect(others.filter((name) => !name.startsWith('node:')).sort()).toEqual(['eventemitter3', 'p-retry']);
  });

  it('install without running or compiling anything', () => {
    for (const name of running) {
      const { folder, manifest } = manifests.get(name) as { folder: string; manifest: Manifest };
      const hooks = ['preinstall', 'install', 'postinstall', 'prepare'].filter(
        (hook) => hook in (manifest.scripts ?? {}),
      );
      expect([name, hooks, manifest.optionalDependencies]).toEqual([name, [], undefined]);
      expect(existsSync(join(folder, 'binding.gyp'))).toBe(false);
      for (const dependency of Object.keys(manifest.dependencies ?? {})) {
        if (manifests.has(dependency)) continue;
        const installed = join(packages, '..', 'node_modules', dependency);
        const { scripts = {} } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
        expect([dependency, 'install' in scripts, 'postinstall' in scripts]).toEqual([dependency, false, false]);
        expect(existsSync(join(installed, 'binding.gyp'))).toBe(false);
      }
    }
  });
});
