import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ContractCase } from './case.ts';
import { groups } from './cases/index.ts';
import { Context } from './context.ts';
import { FEATURES, type Feature } from './feature.ts';
import type { Profile } from './profile.ts';
import type { ContractServer } from './server.ts';

/** Fetching a release for the first time takes a while. */
const START_MS = 120_000;
const CASE_MS = 15_000;
/** For what happens around the case itself. */
const AROUND_MS = 15_000;

/**
 * Registers every case as a test of its own, on one server. What the profile declares missing is listed in the output, and
 * checked as well: a case that holds although it shouldn't fails.
 */
export function describeContract(profile: Profile, start: () => Promise<ContractServer>): void {
  const declared: string[] = [];
  describe(profile.name, () => {
    let server: ContractServer;
    let count = 0;
    beforeAll(async () => {
      server = await start();
    }, START_MS);
    afterAll(async () => {
      await server?.stop();
      if (declared.length > 0) process.stdout.write(`${profile.name}, declared unsupported:\n${declared.join('')}`);
    });
    const perform = async (contractCase: ContractCase): Promise<void> => {
      count += 1;
      await performCase(contractCase, server, `/contract-${count}`);
    };

    it('has a profile that speaks of cases which exist', () => {
      const names = groups.flatMap(({ name, cases }) => cases.map((each) => `${name}: ${each.name}`));
      expect(new Set(names).size).toBe(names.length);
      expect(Object.keys(profile.differs).filter((name) => !names.includes(name))).toEqual([]);
    });

    for (const group of groups) {
      describe(group.name, () => {
        const running = new Map<ContractCase, Promise<void>>();
        beforeAll(() => {
          for (const each of group.cases.filter(({ waits }) => waits === true)) {
            const outcome = perform(each);
            // It is awaited when its turn comes.
            outcome.catch(() => {});
            running.set(each, outcome);
          }
        });
        const outcomeOf = (each: ContractCase): Promise<void> => running.get(each) ?? perform(each);
        for (const contractCase of group.cases) {
          const full = `${group.name}: ${contractCase.name}`;
          const timeout = (contractCase.timeout ?? CASE_MS) + AROUND_MS;
          const why = whyNot(contractCase, full, profile);
          if (why === null) {
            it(contractCase.name, () => outcomeOf(contractCase), timeout);
            continue;
          }
          declared.push(`  ${full}: ${why.reason}\n`);
          it(
            `declared unsupported: ${contractCase.name}`,
            async () => {
              if (why.handle !== null) expect(server).not.toHaveProperty(why.handle);
              else await expect(outcomeOf(contractCase)).rejects.toBeDefined();
            },
            timeout,
          );
        }
      });
    }
  });
}

/** Why a case can't hold on a server; null when it has to. `handle` is what the server's keeper would need in order to try. */
function whyNot(
  { needs = [] }: ContractCase,
  full: string,
  { lacks, differs }: Profile,
): { reason: string; handle: string | null } | null {
  const missing = needs.filter((feature) => lacks[feature] !== undefined);
  const handle = missing.find((feature) => feature.startsWith('handle:'));
  const reasons = missing.map((feature) => `no ${describeFeature(feature)}: ${lacks[feature]}`);
  if (differs[full] !== undefined) reasons.push(differs[full]);
  if (reasons.length === 0) return null;
  return { reason: reasons.join('; '), handle: handle?.slice('handle:'.length) ?? null };
}

function describeFeature(feature: Feature): string {
  return `${feature} (${FEATURES[feature]})`;
}

async function performCase(
  { run, timeout = CASE_MS }: ContractCase,
  server: ContractServer,
  base: string,
): Promise<void> {
  const context = await Context.open(server, base);
  try {
    await withDeadline(run(context), timeout);
  } catch (error) {
    // The first error is the one that tells.
    await context.close().catch(() => {});
    throw error;
  }
  await context.close();
  await context.until('no session of the case is left on the server', async () => {
    const left = await context.sessionsLeft();
    return left.length === 0;
  });
}

async function withDeadline(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The case did not end within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
