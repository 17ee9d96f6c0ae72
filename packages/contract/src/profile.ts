import type { Feature } from './feature.ts';

/** What is known of one server before the cases run on it. Nothing else may differ: each line here is checked by the run. */
export interface Profile {
  /** As the run's output calls it. */
  name: string;
  /** What it doesn't offer, and why. Cases that need it run all the same, and have to fail; those with a missing handle can't run. */
  lacks: Readonly<Partial<Record<Feature, string>>>;
  /** Cases, by full name, that come out otherwise here, and why. They run, and have to fail. */
  differs: Readonly<Record<string, string>>;
}
