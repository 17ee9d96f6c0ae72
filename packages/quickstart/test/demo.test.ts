import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { ALL_WELL, lastLine, startDemo } from './run-demo.ts';

jest.setTimeout(60_000);

describe('the demo, on its in-process server', () => {
  it('shows a kill, the takeover and its time, and lanes', async () => {
    const demo = startDemo('--grants', '6');
    expect(await demo.ended).toBe(0);
    const { output } = demo;
    expect(lastLine(output)).toMatch(ALL_WELL);
    expect(Number.parseInt(lastLine(output), 10)).toBeGreaterThanOrEqual(6);
    const [, victim] = /kill -9 (\w+), which holds 0x[0-9a-f]+\n/.exec(output) ?? [];
    expect(output).toMatch(/\w+ takes over \d\.\d\d s after the kill \(session timeout 3 s\)\n/);
    expect(output).toMatch(new RegExp(`^  ${victim} +[.# ]*#Xx+$`, 'm'));
    expect(output).not.toContain('\u001b[');
    expect(demo.leftBehind).toEqual([]);
  });

  it('fails when nobody had time to take over', async () => {
    const demo = startDemo('--services', '2', '--seconds', '1');
    await demo.seen(/kill -9/);
    demo.kill();
    expect(await demo.ended).toBe(130);
    expect(demo.leftBehind).toEqual([]);
    expect(demo.output).toMatch(/FAILED: nobody had the lock after \w+ was killed\n/);
    expect(lastLine(demo.output)).toMatch(ALL_WELL);
  });

  it('leaves no service behind when it is killed itself', async () => {
    const demo = startDemo();
    await demo.seen(/holds 0x/);
    const pids = [...demo.output.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid));
    expect(pids).toHaveLength(3);
    demo.kill('SIGKILL');
    await demo.ended;
    while (pids.some(isRunning)) await sleep(20);
  });

  it.each([[['--services', '1']], [['--grants', '2']], [['--seconds', 'x']], [['--server', 'a:b']], [['--bogus']]])(
    'refuses %j',
    async (args) => {
      const demo = startDemo(...args);
      expect(await demo.ended).toBe(2);
      expect(demo.output).toMatch(/Try --help\.\n$/);
    },
  );

  it('explains itself', async () => {
    const demo = startDemo('--help');
    expect(await demo.ended).toBe(0);
    expect(demo.output).toMatch(/^Usage: scripts\/quickstart/);
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
