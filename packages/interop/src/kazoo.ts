import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder, findProgram } from '@zookit/testing/internal';
import type { Program } from './program.ts';

const VERSION = '2.11.0';
const run = promisify(execFile);

export interface Kazoo {
  version: string;
  /** The interpreter that can import it. */
  python: string;
  /** Whether it was there already, or where it came from. */
  from: 'cache' | 'pypi' | 'system';
}

/**
 * Makes sure that kazoo is on this machine: in a virtual environment in the cache, from PyPI, else in the system's Python.
 * Rejects when it can't be had; the message says what to install.
 */
export async function fetchKazoo(): Promise<Kazoo> {
  const folder = join(cacheFolder(), 'kazoo', VERSION);
  const python = join(folder, 'bin', 'python');
  // Asked by importing: an environment does not outlive the Python that it was made from.
  if ((await kazooIn(python)) === VERSION) return { version: VERSION, python, from: 'cache' };
  const system = await findProgram('python3');
  if (system === null) {
    throw new Error("kazoo needs Python, and there is no 'python3' on PATH (Debian: python3 and python3-venv)");
  }
  try {
    await install(system, folder);
    return { version: VERSION, python, from: 'pypi' };
  } catch (error) {
    const version = await kazooIn(system);
    if (version !== null) return { version, python: system, from: 'system' };
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(
      `kazoo ${VERSION} could not be installed into a virtual environment: that needs Python's venv module and PyPI ` +
        `(Debian: python3-venv, or python3-kazoo instead)\n${stdout}${stderr}`,
      { cause: error },
    );
  }
}

/** A process of contenders by kazoo's locks; `patterns`: names of other clients' znodes that it is to wait for. */
export async function kazooProgram(...patterns: readonly string[]): Promise<Program> {
  const { version, python } = await fetchKazoo();
  const source = fileURLToPath(new URL('../python/contender.py', import.meta.url));
  return { name: 'kazoo', version, command: python, before: [source], after: patterns };
}

/** Made aside and moved into place: several processes may come at once, and one may be interrupted. */
async function install(python: string, folder: string): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true });
  const work = await mkdtemp(`${folder}-`);
  try {
    const environment = join(work, 'environment');
    await run(python, ['-m', 'venv', environment]);
    const own = join(environment, 'bin', 'python');
    await run(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `kazoo==${VERSION}`]);
    await rm(folder, { recursive: true, force: true });
    await rename(environment, folder).catch(async (error: unknown) => {
      if ((await kazooIn(join(folder, 'bin', 'python'))) !== VERSION) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The version that this Python can import; null when it can't, or isn't there. */
async function kazooIn(python: string): Promise<string | null> {
  try {
    const { stdout } = await run(python, ['-c', 'from kazoo.version import __version__; print(__version__)']);
    return stdout.trim();
  } catch {
    return null;
  }
}
