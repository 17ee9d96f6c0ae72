import { access, chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RealServerUnavailableError } from '../src/real-server/errors.ts';
import { fetchRelease } from '../src/real-server/release.ts';

// A Maven that leaves a trace and does as it is told; the network is for the real tests.
const maven = (body: string): string => `#!/bin/sh
home=$(dirname "$0")
echo run >>"$home/runs"
cp pom.xml "$home/pom.xml"
for argument in "$@"; do
  case "$argument" in -DoutputDirectory=*) out=\${argument#*=} ;; esac
done
${body}
`;
const works = 'mkdir -p "$out" && : >"$out/zookeeper-3.9.5.jar"';

const { PATH, ZOOKIT_CACHE, MAVEN_HOME } = process.env;

function setEnvironment(values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

let home: string;
let cache: string;

async function installMaven(body: string): Promise<void> {
  const path = join(home, 'mvn');
  await writeFile(path, maven(body));
  await chmod(path, 0o755);
}

const runs = async (): Promise<number> => (await readFile(join(home, 'runs'), 'utf8')).trim().split('\n').length;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'zookit-release-'));
  cache = join(home, 'cache');
  setEnvironment({ PATH: home, ZOOKIT_CACHE: cache, MAVEN_HOME: undefined });
});

afterEach(async () => {
  setEnvironment({ PATH, ZOOKIT_CACHE, MAVEN_HOME });
  await rm(home, { recursive: true });
});

describe('fetchRelease', () => {
  it('fetches once, however often it is asked at once, and finds the jars in the cache afterwards', async () => {
    await installMaven(works);
    const [first, second] = await Promise.all([fetchRelease('3.9.5'), fetchRelease('3.9.5')]);
    const folder = join(cache, 'apache-zookeeper', '3.9.5');
    expect(first).toEqual({ version: '3.9.5', folder, classpath: join(folder, '*'), from: 'maven' });
    expect(second).toEqual(first);
    expect((await fetchRelease('3.9.5')).from).toBe('cache');
    expect(await runs()).toBe(1);
    expect(await readdir(dirname(folder))).toEqual(['3.9.5']);
    expect(await readdir(folder)).toEqual(['zookeeper-3.9.5.jar']);
  });

  it('asks for what the server needs, and for no second logger', async () => {
    await installMaven(works);
    await fetchRelease('3.9.5');
    const pom = await readFile(join(home, 'pom.xml'), 'utf8');
    const artifacts = [...pom.matchAll(/<artifactId>([^<]+)<\/artifactId><version>([^<]+)</g)].map(
      ([, name, version]) => `${name}:${version}`,
    );
    expect(artifacts).toEqual([
      'zookeeper:3.9.5',
      'slf4j-api:2.0.13',
      'slf4j-simple:2.0.13',
      'metrics-core:4.1.12.1',
      'snappy-java:1.1.10.5',
    ]);
    expect(pom).toContain('<exclusion><groupId>ch.qos.logback</groupId><artifactId>logback-classic</artifactId>');
  });

  it('takes the jars of another process that was faster', async () => {
    await installMaven(
      `${works}\nmkdir -p "$home/cache/apache-zookeeper/3.9.5"\n: >"$home/cache/apache-zookeeper/3.9.5/zookeeper-3.9.5.jar"`,
    );
    const { folder } = await fetchRelease('3.9.5');
    expect(await readdir(dirname(folder))).toEqual(['3.9.5']);
  });

  it('says what Maven said, and leaves nothing, when it fails', async () => {
    await installMaven('mkdir -p "$out"\necho "[ERROR] no route to anywhere"\nexit 1');
    const failed = fetchRelease('3.9.5');
    await expect(failed).rejects.toBeInstanceOf(RealServerUnavailableError);
    await expect(failed).rejects.toThrow('no route to anywhere');
    expect(await readdir(join(cache, 'apache-zookeeper'))).toEqual([]);
  });

  it('does not take a release without a server in it', async () => {
    await installMaven('mkdir -p "$out"');
    await expect(fetchRelease('3.9.5')).rejects.toBeInstanceOf(RealServerUnavailableError);
    await expect(access(join(cache, 'apache-zookeeper', '3.9.5'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says what to install where there is no Maven', async () => {
    await expect(fetchRelease('3.9.5')).rejects.toMatchObject({
      code: 'REAL_SERVER_UNAVAILABLE',
      message: expect.stringContaining('install Maven'),
    });
  });

  it.each(['latest', '3.9', '../3.9.5', ''])('refuses %j for a version', async (version) => {
    await expect(fetchRelease(version)).rejects.toBeInstanceOf(TypeError);
  });
});
