import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, exists, fetchJars, findJava } from '@zookit/testing/internal';
import { type Curator, debian } from './curator.ts';
import type { Program } from './program.ts';

const VERSION = '5.9.0';

/** Makes sure that Apache Curator's service discovery is on this machine. Rejects when it can't be had; the message says what to install. */
export async function fetchCuratorDiscovery(): Promise<Curator> {
  const folder = join(cacheFolder(), 'apache-curator-x-discovery', VERSION);
  try {
    const from = await fetchJars({
      name: `Apache Curator's x-discovery ${VERSION}`,
      folder,
      dependencies: [`org.apache.curator:curator-x-discovery:${VERSION}`, 'org.slf4j:slf4j-nop:2.0.13'],
      proof: `curator-x-discovery-${VERSION}.jar`,
      elsewhere: ', or the package libcurator-discovery-java (Debian),',
    });
    return { version: VERSION, classpath: join(folder, '*'), from };
  } catch (error) {
    const jars = ['curator-x-discovery', ...debian.jars].map((name) => join(debian.folder, `${name}.jar`));
    if (!(await exists(jars[0]!))) throw error;
    return { version: debian.version, classpath: jars.join(':'), from: 'debian' };
  }
}

/** A process that registers and finds instances by Curator's ServiceDiscovery. */
export async function curatorDiscoveryProgram(): Promise<Program> {
  const java = await findJava();
  const { version, classpath } = await fetchCuratorDiscovery();
  const source = fileURLToPath(new URL('../java/Discovery.java', import.meta.url));
  const light = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];
  return { name: 'curator', version, command: java, before: [...light, '-cp', classpath, source], after: [] };
}
