import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The last line of a run in which all went well. */
export const ALL_WELL = /^\d+ grants, 0 overlaps, tokens only grew \(0x[0-9a-f]+ to 0x[0-9a-f]+\)$/;

export interface RunningDemo {
  /** All that it has written so far. */
  readonly output: string;
  /** Resolves with what matched, once the output does; rejects when the demo ends before. */
  seen(pattern: RegExp): Promise<string>;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** What it has left in the folder for temporary files. To be asked when it has ended. */
  readonly leftBehind: readonly string[];
  kill(signal?: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts the demo as it was built. */
export function startDemo(...args: readonly string[]): RunningDemo {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  if (!existsSync(main)) throw new Error('The demo is not built: npx turbo run build --filter=@zookit/quickstart');
  const folder = mkdtempSync(join(tmpdir(), 'zookit-demo-test-'));
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  let leftBehind: string[] = [];
  let hasEnded = false;
  const checks = new Set<() => void>();
  const check = (): void => {
    for (const each of checks) each();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      check();
    });
  }
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      hasEnded = true;
      leftBehind = readdirSync(folder);
      rmSync(folder, { recursive: true });
      check();
      resolve(code);
    });
  });
  return {
    get output() {
      return output;
    },
    get leftBehind() {
      return leftBehind;
    },
    ended,
    seen(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null && !hasEnded) return;
          checks.delete(look);
          if (match === null) reject(new Error(`The demo ended without ${pattern}:\n${output}`));
          else resolve(match[0]);
        };
        checks.add(look);
        look();
      });
    },
    kill(signal = 'SIGTERM') {
      child.kill(signal);
    },
  };
}

export function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}
