import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, exists, fetchJars, findJava } from '@zookit/testing/internal';
import type { Program } from './program.ts';

const VERSION = '5.9.0';

/** The last release before the read lock of a writer got the number of its write lock. */
export const CURATOR_BEFORE_DOWNGRADE = '5.4.0';

/** Debian's libcurator-recipes-java puts its jars, and those of the packages it depends on, in one folder. */
export const debian: { version: string; folder: string; jars: string[] } = {
  version: '5.4.0',
  folder: '/usr/share/java',
  jars: [
    ...['curator-recipes', 'curator-framework', 'curator-client', 'zookeeper', 'zookeeper-jute', 'guava'],
    ...['jackson-core', 'jackson-databind', 'jackson-annotations', 'slf4j-api', 'slf4j-nop'],
  ],
};

export interface Curator {
  version: string;
  /** For `java -cp`. */
  classpath: string;
  /** Whether the jars were there already, or where they came from. */
  from: 'cache' | 'maven' | 'debian';
}

/** Makes sure that Apache Curator is on this machine. Rejects when it can't be had; the message says what to install. */
export async function fetchCurator(version: string = VERSION, debianFolder: string = debian.folder): Promise<Curator> {
  const folder = join(cacheFolder(), 'apache-curator', version);
  try {
    const from = await fetchJars({
      name: `Apache Curator ${version}`,
      folder,
      dependencies: [`org.apache.curator:curator-recipes:${version}`, 'org.slf4j:slf4j-nop:2.0.13'],
      proof: `curator-recipes-${version}.jar`,
      elsewhere: ', or the package libcurator-recipes-java (Debian),',
    });
    return { version, classpath: join(folder, '*'), from };
  } catch (error) {
    if (!(await exists(join(debianFolder, `curator-recipes-${debian.version}.jar`)))) throw error;
    const classpath = debian.jars.map((name) => join(debianFolder, `${name}.jar`)).join(':');
    return { version: debian.version, classpath, from: 'debian' };
  }
}

/** A process of contenders by Curator's locks. */
export function curatorProgram(wanted?: string): Promise<Program> {
  return programOf('Contender', wanted);
}

/** A process of candidates by Curator's LeaderLatch and LeaderSelector. */
export function curatorCandidates(): Promise<Program> {
  return programOf('Candidate');
}

/** A process that meets others at Curator's barriers and in its groups. */
export function curatorAssembly(): Promise<Program> {
  return programOf('Assembly');
}

async function programOf(name: 'Contender' | 'Candidate' | 'Assembly', wanted?: string): Promise<Program> {
  const java = await findJava();
  const { version, classpath } = await fetchCurator(wanted);
  const source = fileURLToPath(new URL(`../java/${name}.java`, import.meta.url));
  const light = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];
  return { name: 'curator', version, command: java, before: [...light, '-cp', classpath, source], after: [] };
}
