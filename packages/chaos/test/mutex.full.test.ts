import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { storm } from './support/storm.ts';

// For longer runs by hand: npm start -w @zookit/chaos -- --minutes 60
const { CHAOS_MINUTES = '5', CHAOS_SEED = '2', CHAOS_FOLDER } = process.env;

describe('ten processes that share one mutex, on an ensemble of three', () => {
  it(
    'outlive minutes of faults: one holder at a time, none stale, nothing left',
    async () => {
      const folder = CHAOS_FOLDER ?? mkdtempSync(join(tmpdir(), 'zookit-chaos-'));
      process.stderr.write(`records of the run: ${folder}\n`);
      const { code, report } = await storm(folder, '--minutes', CHAOS_MINUTES, '--seed', CHAOS_SEED);
      expect({ failures: report.failures, code }).toEqual({ failures: [], code: 0 });
      expect(report.lost).toBeGreaterThan(0);
      expect(report.killed).toBeGreaterThan(0);
      expect(report.staleWrites).toBeGreaterThan(0);
      process.stderr.write(`${report.grants} grants, ${report.lost} lost, ${report.killed} killed\n`);
    },
    Number(CHAOS_MINUTES) * 60_000 + 240_000,
  );
});
