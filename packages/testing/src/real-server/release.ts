import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { RealServerUnavailableError } from './errors.ts';
import { findProgram } from './find-program.ts';

/** Apache releases that were seen to start from their jars on Java 17; 3.8.0 is Debian's. Others may do. */
export const REAL_SERVER_VERSIONS: readonly string[] = [
  ...['3.4.14', '3.5.10', '3.6.4', '3.7.2', '3.8.0', '3.8.3', '3.8.4', '3.8.5', '3.8.6'],
  ...['3.9.0', '3.9.1', '3.9.2', '3.9.3', '3.9.4', '3.9.5'],
];

/** The jars of one Apache ZooKeeper release, and nothing else. */
export interface Release {
  version: string;
  /** For `java -cp`. */
  classpath: string;
  /** Where the jars are. */
  folder: string;
  /** Whether they were there already, or where they came from. */
  from: 'cache' | 'maven' | 'debian';
}

/** Debian's libzookeeper-java puts its jars, and those of the packages it depends on, in one folder. */
const debian = {
  version: '3.8.0',
  folder: '/usr/share/java',
  jars: [
    ...['zookeeper', 'zookeeper-jute', 'slf4j-api', 'slf4j-simple', 'metrics-core', 'snappy-java'],
    ...['netty-buffer', 'netty-codec', 'netty-common', 'netty-handler', 'netty-resolver', 'netty-transport'],
    ...['netty-transport-native-epoll', 'netty-transport-native-unix-common', 'netty-tcnative'],
  ],
};

const fetching = new Map<string, Promise<Release>>();

/**
 * Makes sure that the jars of a release are on this machine: from the cache (`$ZOOKIT_CACHE`, else `zookit` in
 * `$XDG_CACHE_HOME` or `~/.cache`), else by Maven, else, for 3.8.0, from Debian's libzookeeper-java. Several processes may
 * fetch one release at once.
 *
 * @throws RealServerUnavailableError when it can't be had
 */
export async function fetchRelease(version: string): Promise<Release> {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new TypeError(`Not a ZooKeeper release: '${version}'`);
  const folder = join(cacheFolder(), 'apache-zookeeper', version);
  const running = fetching.get(folder);
  if (running) return running;
  const fetched = find(version, folder).finally(() => fetching.delete(folder));
  fetching.set(folder, fetched);
  return fetched;
}

/** Compares 'major.minor' of a release: whether it is at least that. */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [actualMajor = 0, actualMinor = 0] = version.split('.').map(Number);
  return actualMajor > major || (actualMajor === major && actualMinor >= minor);
}

function cacheFolder(): string {
  const { ZOOKIT_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return resolve(own || join(xdg || join(homedir(), '.cache'), 'zookit'));
}

async function find(version: string, folder: string): Promise<Release> {
  if (await exists(serverJar(folder, version))) return inFolder(version, folder, 'cache');
  try {
    await fetchByMaven(version, folder);
    return inFolder(version, folder, 'maven');
  } catch (error) {
    const jars = version === debian.version ? await debianJars() : null;
    if (jars) return { version, folder: debian.folder, classpath: jars.join(delimiter), from: 'debian' };
    throw error;
  }
}

function inFolder(version: string, folder: string, from: Release['from']): Release {
  return { version, folder, classpath: join(folder, '*'), from };
}

function serverJar(folder: string, version: string): string {
  return join(folder, `zookeeper-${version}.jar`);
}

async function debianJars(): Promise<string[] | null> {
  if (!(await exists(serverJar(debian.folder, debian.version)))) return null;
  return debian.jars.map((name) => join(debian.folder, `${name}.jar`));
}

async function fetchByMaven(version: string, folder: string): Promise<void> {
  const { MAVEN_HOME } = process.env;
  const mvn = await findProgram('mvn', MAVEN_HOME);
  if (!mvn) {
    const also = version === debian.version ? ', or the package libzookeeper-java (Debian),' : '';
    throw new RealServerUnavailableError(
      `Apache ZooKeeper ${version} is fetched by Maven, and there is no 'mvn' on PATH: install Maven (Debian: maven)${also} or ` +
        `put the jars into ${folder}`,
    );
  }
  await mkdir(join(folder, '..'), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(work, 'pom.xml'), pom(version));
    const jars = join(work, 'jars');
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
    const said = await run(mvn, ['-q', '-B', '-f', join(work, 'pom.xml'), ...goal], work);
    if (said !== null || !(await exists(serverJar(jars, version)))) {
      const tail = (said ?? '').trim().split('\n').slice(-15).join('\n');
      throw new RealServerUnavailableError(`Maven could not fetch Apache ZooKeeper ${version}.\n${tail}`);
    }
    await publish(jars, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Puts the finished folder in its place; when another process was faster, its folder is as good as ours. */
async function publish(jars: string, folder: string): Promise<void> {
  try {
    await rename(jars, folder);
  } catch (error) {
    const names = await readdir(folder).catch(() => []);
    if (names.length === 0) throw error;
  }
}

/** @returns what the program said when it failed, null when it didn't */
function run(program: string, args: string[], cwd: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}` || error.message : null);
    });
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function pom(version: string): string {
  const dependencies = [dependency(`org.apache.zookeeper:zookeeper:${version}`)];
  if (isAtLeast(version, 3, 5)) {
    dependencies.push(dependency('org.slf4j:slf4j-api:2.0.13'), dependency('org.slf4j:slf4j-simple:2.0.13'));
  }
  if (isAtLeast(version, 3, 6)) {
    // Not declared by the server's own pom: it dies without the first, and never answers without the second.
    dependencies.push(dependency('io.dropwizard.metrics:metrics-core:4.1.12.1'));
    dependencies.push(dependency('org.xerial.snappy:snappy-java:1.1.10.5'));
  }
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>zookit</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    ${dependencies.join('\n    ')}
  </dependencies>
</project>
`;
}

function dependency(coordinates: string): string {
  const [group, name, version] = coordinates.split(':');
  // Left in, logback wins over slf4j-simple and logs at DEBUG.
  const exclusions = ['logback-classic', 'logback-core'].map(
    (excluded) => `<exclusion><groupId>ch.qos.logback</groupId><artifactId>${excluded}</artifactId></exclusion>`,
  );
  return (
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>` +
    `<exclusions>${exclusions.join('')}</exclusions></dependency>`
  );
}
