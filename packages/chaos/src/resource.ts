import { now } from './clock.ts';
import { LineFile } from './history.ts';

/** Outside of ZooKeeper, written to by holders: refuses a token that is smaller than the largest that it has seen. */
export class Resource {
  readonly #record: LineFile<{ at: string; contender: string; token: string; accepted: boolean }>;
  #largest = 0n;

  constructor(record: string) {
    this.#record = new LineFile(record);
  }

  write(contender: string, token: bigint): boolean {
    const accepted = token >= this.#largest;
    if (accepted) this.#largest = token;
    this.#record.write({ at: String(now()), contender, token: String(token), accepted });
    return accepted;
  }

  close(): void {
    this.#record.close();
  }
}
