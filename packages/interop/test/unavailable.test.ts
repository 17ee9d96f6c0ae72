import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { curatorProgram, fetchCurator } from '../src/curator.ts';
import { fetchKazoo } from '../src/kazoo.ts';

const { PATH, ZOOKIT_CACHE, MAVEN_HOME, JAVA_HOME } = process.env;

function setEnvironment(values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

let home: string;
let cache: string;

/** A program that is a shell script. */
async function install(name: string, body: string): Promise<void> {
  const path = join(home, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'zookit-unavailable-'));
  cache = join(home, 'cache');
  setEnvironment({ PATH: home, ZOOKIT_CACHE: cache, MAVEN_HOME: undefined, JAVA_HOME: undefined });
});

afterEach(async () => {
  setEnvironment({ PATH, ZOOKIT_CACHE, MAVEN_HOME, JAVA_HOME });
  await rm(home, { recursive: true });
});

describe('without what the tests need', () => {
  it('Java: says so', async () => {
    await expect(curatorProgram()).rejects.toThrow(/no 'java'.*default-jre-headless/);
  });

  it('Maven: says so, unless Debian has the jars', async () => {
    const debian = join(home, 'debian');
    await expect(fetchCurator(undefined, debian)).rejects.toThrow(
      /Apache Curator 5.*install Maven.*libcurator-recipes-java/,
    );
    await mkdir(debian);
    await writeFile(join(debian, 'curator-recipes-5.4.0.jar'), '');
    const curator = await fetchCurator(undefined, debian);
    expect(curator).toMatchObject({ version: '5.4.0', from: 'debian' });
    expect(curator.classpath.split(':')).toContain(join(debian, 'curator-recipes.jar'));
  });

  it('Python: says so', async () => {
    await expect(fetchKazoo()).rejects.toThrow(/no 'python3'.*python3-venv/);
  });

  it('virtual environments: says so, with what Python said, and leaves nothing', async () => {
    await install('python3', 'echo "ensurepip is not available" >&2; exit 1');
    await expect(fetchKazoo()).rejects.toThrow(/python3-venv.*ensurepip is not available/s);
    expect(await readdir(join(cache, 'kazoo'))).toEqual([]);
  });

  it("virtual environments: takes the system's kazoo", async () => {
    await install('python3', '[ "$1" = -c ] && echo 2.8.0');
    expect(await fetchKazoo()).toEqual({ version: '2.8.0', python: join(home, 'python3'), from: 'system' });
  });
});
