import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ReignReport } from '../src/reign.ts';
import { storm } from './support/storm.ts';

async function reign(kind: string, ends: readonly string[]): Promise<ReignReport> {
  const folder = mkdtempSync(join(tmpdir(), 'zookit-reign-'));
  const { code, report } = await storm(folder, '--kind', kind, '--contenders', '3', '--ends', ends.join(','));
  const { took, failures, ...rest } = report as unknown as ReignReport;
  process.stderr.write(`${kind}: ${took.map(({ end, grant }) => `${end} ${grant.toFixed(0)} ms`).join(', ')}\n`);
  expect({ failures, code }).toEqual({ failures: [], code: 0 });
  expect(took.map(({ end }) => end)).toEqual(ends);
  rmSync(folder, { recursive: true });
  return { took, failures, ...rest };
}

describe.each(['latch', 'selector'])(
  'three candidates in processes of their own, by %s, on an ensemble of three',
  (kind) => {
    it('one leader at a time, none stale, all back in line, nothing left: its packets vanish, it stands still, dies, its znode is deleted, the servers start anew', async () => {
      const { staleWrites, grants } = await reign(kind, ['blackhole', 'stop', 'kill', 'delete', 'restart']);
      expect(grants).toBeGreaterThanOrEqual(5);
      expect(staleWrites).toBeGreaterThanOrEqual(2);
    }, 240_000);
  },
);

describe('three latches whose servers have lost all their data', () => {
  it('are all back in line, and one leads at a time', async () => {
    const { grants } = await reign('latch', ['wipe']);
    expect(grants).toBeGreaterThanOrEqual(2);
  }, 240_000);
});
