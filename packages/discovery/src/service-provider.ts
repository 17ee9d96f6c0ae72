import { BadArgumentsError } from '@zookit/client';
import { coreOf } from '@zookit/client/internal';
import { DownInstances, type DownPolicy } from './down-instances.ts';
import { ServiceCache } from './service-cache.ts';
import type { ServiceInstance } from './service-instance.ts';
import type { InstancesChange } from './service-watch.ts';
import type { SharedWatches } from './shared-watches.ts';
import { type Strategy, type StrategyName, strategyOf } from './strategies.ts';

export interface ProviderOptions {
  /** How one is chosen. Default `round-robin`. `sticky`: the same one for as long as it can be used. See also `weighted()`. */
  strategy?: StrategyName | Strategy | undefined;
  /** Only those are given out for which it is true. */
  filter?: ((instance: ServiceInstance) => boolean) | undefined;
  /** So many errors, by `noteError()`, take an instance out. Default 2, as in Curator. */
  downAfter?: number | undefined;
  /** For so many ms; errors that are further apart don't add up. Default 30,000. */
  downFor?: number | undefined;
}

/** Gives out instances of a service that can be used: enabled, let through by the filter, not down. Made by `discovery.provider()`. */
export class ServiceProvider extends ServiceCache {
  readonly #strategy: Strategy;
  readonly #filter: ((instance: ServiceInstance) => boolean) | undefined;
  readonly #down: DownInstances;

  /** Throws BadArgumentsError. */
  constructor(watches: SharedWatches, name: string, options: ProviderOptions, onClose: () => void) {
    super(watches, name, onClose);
    const { strategy = 'round-robin', filter, downAfter = 2, downFor = 30_000 } = options;
    const { clock, random } = coreOf(watches.zk).settings.environment;
    if (!(Number.isInteger(downAfter) && downAfter > 0))
      throw bad('downAfter must be a whole number from 1 on', downAfter);
    if (!(typeof downFor === 'number' && downFor >= 0)) throw bad('downFor must be a number of ms', downFor);
    if (filter !== undefined && typeof filter !== 'function') throw bad('filter must be a function', filter);
    this.#strategy = strategyOf(strategy, random);
    this.#filter = filter;
    this.#down = new DownInstances({ downAfter, downFor } satisfies DownPolicy, clock);
  }

  /** One that can be used, as the strategy chooses; null when there is none. Throws what the filter or the strategy throws. */
  get(): ServiceInstance | null {
    const usable = this.all();
    return usable.length === 0 ? null : (this.#strategy(usable) ?? null);
  }

  /** All that can be used. */
  all(): ServiceInstance[] {
    const isUsable = (instance: ServiceInstance): boolean =>
      instance.enabled && !this.#down.isDown(instance.id) && (this.#filter === undefined || this.#filter(instance));
    return this.current.filter(isUsable);
  }

  /** Says that an instance could not be used. After `downAfter` of these it is not given out for `downFor`. */
  noteError(instance: ServiceInstance): void {
    this.#down.note(instance.id);
  }

  /** An instance that comes anew has a clean record. */
  protected override onChange({ added, removed }: InstancesChange): void {
    for (const { id } of [...added, ...removed]) this.#down.forget(id);
  }
}

function bad(wanted: string, given: unknown): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { message: `${wanted}, not ${String(given)}` });
}
