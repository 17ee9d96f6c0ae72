import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosReport } from '../../src/run.ts';

const CLI = fileURLToPath(new URL('../../dist/chaos-cli.js', import.meta.url));

export interface Storm {
  code: number | null;
  output: string;
  report: ChaosReport;
  /** What it has left in the folder. */
  files: readonly string[];
}

/** Runs the harness as it was built, and reads what it leaves in the folder. */
export async function storm(folder: string, ...args: readonly string[]): Promise<Storm> {
  if (!existsSync(CLI)) throw new Error('The harness is not built: npx turbo run build --filter=@zookit/chaos');
  const child = spawn(process.execPath, [CLI, '--folder', folder, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const onExit = (): void => {
    child.kill();
  };
  process.on('exit', onExit);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  process.off('exit', onExit);
  const report = await readFile(join(folder, 'verdict.json'), 'utf8').catch(() => {
    throw new Error(`the harness left no verdict:\n${output}`);
  });
  return { code, output, report: JSON.parse(report) as ChaosReport, files: await readdir(folder) };
}
