import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const runner = fileURLToPath(new URL('../run.js', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));

interface Report {
  testResults: { name: string; status: string; message: string }[];
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zookit-jest-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function run(project: string, ...args: string[]): Promise<number | string> {
  const child = spawn(runner, [project, ...args], {
    cwd: fixtures,
    stdio: 'ignore',
    env: { ...process.env, ZOOKIT_TEST_COUNTS: join(folder, 'counts') },
  });
  return new Promise((resolve) => child.once('close', (status, signal) => resolve(status ?? String(signal))));
}

describe('the check after each test file', () => {
  const verdicts = new Map<string, { status: string; message: string }>();

  beforeAll(async () => {
    const output = join(folder, 'report.json');
    await run('unit', '--json', `--outputFile=${output}`);
    const report: Report = JSON.parse(await readFile(output, 'utf8'));
    for (const { name, status, message } of report.testResults)
      verdicts.set(basename(name, '.test.ts'), { status, message });
  }, 60_000);

  it.each(['closes-in-after-all', 'handles-rejection-late'])('passes a file that %s', (name) => {
    expect(verdicts.get(name)).toEqual({ status: 'passed', message: '' });
  });

  it.each([
    ['leaks-timer', 'leaks-timer.test.ts:4'],
    ['leaks-unref-timer', 'leaks-unref-timer.test.ts:4'],
    ['leaks-server', 'TCPServerWrap'],
    ['leaks-unref-socket', 'socket 127.0.0.1:'],
    ['rejects-in-test', 'nobody looks'],
    ['rejects-after-all', 'nobody looks'],
    ['warns', '11 event listeners added'],
    ['is-empty', 'must contain at least one test'],
  ])('fails a file that %s, naming %s', (name, named) => {
    expect(verdicts.get(name)?.status).toBe('failed');
    expect(verdicts.get(name)?.message).toContain(named);
  });

  it('counts a file that leaks as a failure beside its passed tests, and says which and why', async () => {
    const [file] = await readdir(join(folder, 'counts'));
    const { failures, ...counts } = JSON.parse(await readFile(join(folder, 'counts', String(file)), 'utf8'));
    expect(counts).toEqual({ passed: 8, failed: 8, skipped: 0 });
    expect(failures).toHaveLength(8);
    expect(failures).toContainEqual({
      file: 'test/leaks-server.test.ts',
      name: '',
      why: expect.stringContaining('TCPServerWrap'),
    });
  });
});

it('fails a run that executes no test', async () => {
  expect(await run('unit', 'closes-in-after-all')).toBe(0);
  expect(await run('unit', 'closes-in-after-all', '-t', 'no test has this name')).toBe(1);
}, 30_000);

it('kills a run whose file never ends', async () => {
  expect(await run('real', 'spins')).toBe('SIGKILL');
}, 30_000);
