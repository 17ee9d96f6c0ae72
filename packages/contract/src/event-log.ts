import type { PersistentWatchEvent, Watch, ZooKeeper } from '@zookit/client';

/** Writes down what a persistent watch tells. */
export class EventLog {
  readonly events: PersistentWatchEvent[] = [];
  closed = 0;

  constructor(watch: Watch) {
    watch.on('event', (event) => this.events.push(event));
    watch.on('close', () => {
      this.closed += 1;
    });
  }

  /** What was told, in order: type and path, as one text each. */
  get told(): string[] {
    return this.events.map(({ type, path }) => `${type} ${path}`);
  }

  get types(): PersistentWatchEvent['type'][] {
    return this.events.map(({ type }) => type);
  }
}

/** Sets a persistent watch; resolves with what it tells. */
export async function watching(zk: ZooKeeper, path: string, recursive = false): Promise<EventLog> {
  return new EventLog(await zk.watch(path, { recursive }));
}
