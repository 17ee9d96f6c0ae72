import { BadArgumentsError } from '@zookit/client';
import type { ServiceInstance } from './service-instance.ts';

/** Chooses one of some instances, never of none. The list is the same object for as long as it does not change. */
export type Strategy = (instances: readonly ServiceInstance[]) => ServiceInstance | null | undefined;

export type StrategyName = 'round-robin' | 'random' | 'sticky';

/**
 * Chooses at random, those with a larger weight more often: in proportion to it. An instance with weight 0 is chosen only where all
 * weigh 0; a negative weight, or none that is a number, counts as 0.
 */
export function weighted(
  weightOf: (instance: ServiceInstance) => number,
  random: () => number = Math.random,
): Strategy {
  return (instances) => {
    const weights = instances.map((instance) => Math.max(0, weightOf(instance)) || 0);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (sum === 0) return pick(instances, random);
    let left = random() * sum;
    return instances.find((_, index) => {
      left -= weights[index] ?? 0;
      return left < 0;
    });
  };
}

/** The strategy of a name, or the caller's own. Throws BadArgumentsError on anything else. */
export function strategyOf(strategy: StrategyName | Strategy, random: () => number): Strategy {
  if (typeof strategy === 'function') return strategy;
  if (strategy === 'round-robin') return roundRobin();
  if (strategy === 'random') return (instances) => pick(instances, random);
  if (strategy === 'sticky') return sticky(random);
  const message = `strategy must be 'round-robin', 'random', 'sticky' or a function, not ${String(strategy)}`;
  throw new BadArgumentsError('BAD_ARGUMENTS', { message });
}

function roundRobin(): Strategy {
  let turn = 0;
  return (instances) => {
    const chosen = instances[turn % instances.length];
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
    return chosen;
  };
}

/** The same one for as long as it can be used. */
function sticky(random: () => number): Strategy {
  let id: string | null = null;
  return (instances) => {
    const chosen = instances.find((instance) => instance.id === id) ?? pick(instances, random);
    id = chosen?.id ?? null;
    return chosen;
  };
}

function pick(instances: readonly ServiceInstance[], random: () => number): ServiceInstance | undefined {
  return instances[Math.floor(random() * instances.length)];
}
