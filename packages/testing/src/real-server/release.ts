import { delimiter, join } from 'node:path';
import { cacheFolder, exists, fetchJars } from './jars.ts';

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

async function find(version: string, folder: string): Promise<Release> {
  const isDebians = version === debian.version;
  const jars = {
    name: `Apache ZooKeeper ${version}`,
    folder,
    dependencies: dependencies(version),
    proof: `zookeeper-${version}.jar`,
    elsewhere: isDebians ? ', or the package libzookeeper-java (Debian),' : '',
  };
  try {
    return inFolder(version, folder, await fetchJars(jars));
  } catch (error) {
    const debians = isDebians ? await debianJars() : null;
    if (debians) return { version, folder: debian.folder, classpath: debians.join(delimiter), from: 'debian' };
    throw error;
  }
}

function inFolder(version: string, folder: string, from: Release['from']): Release {
  return { version, folder, classpath: join(folder, '*'), from };
}

async function debianJars(): Promise<string[] | null> {
  if (!(await exists(join(debian.folder, `zookeeper-${debian.version}.jar`)))) return null;
  return debian.jars.map((name) => join(debian.folder, `${name}.jar`));
}

function dependencies(version: string): string[] {
  const server = `org.apache.zookeeper:zookeeper:${version}`;
  if (!isAtLeast(version, 3, 5)) return [server];
  const logging = ['org.slf4j:slf4j-api:2.0.13', 'org.slf4j:slf4j-simple:2.0.13'];
  if (!isAtLeast(version, 3, 6)) return [server, ...logging];
  // Not declared by the server's own pom: it dies without the first, and never answers without the second.
  return [server, ...logging, 'io.dropwizard.metrics:metrics-core:4.1.12.1', 'org.xerial.snappy:snappy-java:1.1.10.5'];
}
