import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

it('runs TypeScript that imports TypeScript, without a build', async () => {
  const root = dirname(import.meta.dirname);
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--import', '@zookit/jest-preset/run-source', join(root, 'fixtures', 'source', 'greet.ts')],
    { cwd: root },
  );
  expect({ stdout, stderr }).toEqual({ stdout: 'from the source', stderr: '' });
});
