import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { RealServerUnavailableError } from './errors.ts';
import { findProgram } from './find-program.ts';

/** Jars that belong together, in a folder of the cache. */
export interface JarsOptions {
  /** For people. */
  name: string;
  folder: string;
  /** 'group:artifact:version'; Maven adds what they depend on. */
  dependencies: readonly string[];
  /** The file without which the folder is worth nothing. */
  proof: string;
  /** What else could be installed when there is no Maven, between commas. */
  elsewhere?: string;
}

/** Where fetched things are kept: `$ZOOKIT_CACHE`, else `zookit` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(): string {
  const { ZOOKIT_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return resolve(own || join(xdg || join(homedir(), '.cache'), 'zookit'));
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes sure that the jars are in their folder, and nothing else is. Several processes may fetch the same at once.
 *
 * @throws RealServerUnavailableError when they can't be had; the message says what to install
 */
export async function fetchJars(options: JarsOptions): Promise<'cache' | 'maven'> {
  const { name, folder, dependencies, proof, elsewhere = '' } = options;
  if (await exists(join(folder, proof))) return 'cache';
  const { MAVEN_HOME } = process.env;
  const mvn = await findProgram('mvn', MAVEN_HOME);
  if (!mvn) {
    throw new RealServerUnavailableError(
      `${name} is fetched by Maven, and there is no 'mvn' on PATH: install Maven (Debian: maven)${elsewhere} or ` +
        `put the jars into ${folder}`,
    );
  }
  await mkdir(join(folder, '..'), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(work, 'pom.xml'), pom(dependencies));
    const jars = join(work, 'jars');
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
    const said = await run(mvn, ['-q', '-B', '-f', join(work, 'pom.xml'), ...goal], work);
    if (said !== null || !(await exists(join(jars, proof)))) {
      const tail = (said ?? '').trim().split('\n').slice(-15).join('\n');
      throw new RealServerUnavailableError(`Maven could not fetch ${name}.\n${tail}`);
    }
    await publish(jars, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return 'maven';
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

function pom(dependencies: readonly string[]): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>zookit</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    ${dependencies.map(dependency).join('\n    ')}
  </dependencies>
</project>
`;
}

function dependency(coordinates: string): string {
  const [group, name, version] = coordinates.split(':');
  // Left in, logback wins over the slf4j logger that was asked for, and logs at DEBUG.
  const exclusions = ['logback-classic', 'logback-core'].map(
    (excluded) => `<exclusion><groupId>ch.qos.logback</groupId><artifactId>${excluded}</artifactId></exclusion>`,
  );
  return (
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>` +
    `<exclusions>${exclusions.join('')}</exclusions></dependency>`
  );
}
