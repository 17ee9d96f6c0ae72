import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { storm } from './support/storm.ts';

describe('ten processes that share one mutex, on an ensemble of three', () => {
  it('outlive every kind of fault once: one holder at a time, none stale, nothing left', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zookit-chaos-'));
    const { code, output, report, files } = await storm(folder, '--seconds', '1', '--seed', '1');
    expect({ failures: report.failures, code }).toEqual({ failures: [], code: 0 });
    expect(output).toContain('nothing went wrong');
    for (const count of Object.values(report.struck)) expect(count).toBeGreaterThan(0);
    expect(report.grants).toBeGreaterThan(10);
    expect(report.staleWrites).toBeGreaterThan(0);
    // Ten contenders, and one for each that was killed by the storm.
    expect(files.filter((name) => name.startsWith('contender-'))).toHaveLength(10 + report.struck.kill);
    expect(files).toEqual(expect.arrayContaining(['arena.jsonl', 'resource.jsonl', 'verdict.json']));
    rmSync(folder, { recursive: true });
  }, 240_000);
});
