import type { Stat, ZooKeeperError } from '@zookit/protocol';
import { abortController } from '../abort.ts';
import type { ClientParts } from '../client-parts.ts';
import { exists, getChildren } from '../operations/read.ts';
import { PathRoot } from '../paths.ts';
import { persevere } from '../persevere.ts';
import { readNode } from '../watched-read.ts';
import type { Change, WatchEvent } from './event.ts';

export interface FallbackHooks {
  tell(type: Change, zxid: bigint): void;
  /** The watches are set: for the first time, or in a new session. */
  onSet(): void;
  /** They can't be. */
  onFailure(error: ZooKeeperError): void;
}

/** What listeners have been told of the znode. */
interface Told {
  /** Null when it is not known which znode it is: one that has just been created. */
  czxid: bigint | null;
  version: number;
  cversion: number | null;
}

const ROOT: PathRoot = new PathRoot('/');

/**
 * A persistent watch on one znode made of one-shot watches, for servers without addWatch: `exists` for the znode and its data, `children` while it
 * is there. Each is set again by a read once it has fired; what the read shows beyond what was told is told then, so that changes may be told
 * as one, and none is left out.
 */
export class OneShotFallback {
  readonly #client: ClientParts;
  readonly #path: string;
  readonly #hooks: FallbackHooks;
  readonly #stop: AbortController = abortController();
  /** Null: the znode is missing. Undefined: nothing is known. */
  #told: Told | null | undefined;
  #dataSet = false;
  #childSet = false;
  #looking = false;
  #isSet = false;
  #isBack = true;

  constructor(client: ClientParts, path: string, hooks: FallbackHooks) {
    this.#client = client;
    this.#path = path;
    this.#hooks = hooks;
  }

  /** Whether the watches have been set in the present session. */
  get isSet(): boolean {
    return this.#isSet;
  }

  start(): void {
    this.#look();
  }

  /** The connection is gone. What is set will be set again with all other watches; what isn't, by a read on the next connection. */
  detach(): void {
    this.#isBack = false;
    if (this.#looking) this.#isSet = false;
  }

  /** All watches are set again: what fires from now on has changed by now, and not during the outage. */
  rearmed(): void {
    this.#isBack = true;
  }

  stop(): void {
    this.#stop.abort();
  }

  readonly #onData = (event: WatchEvent): void =>
    this.#onEvent(event, () => {
      this.#dataSet = false;
    });

  readonly #onChild = (event: WatchEvent): void =>
    this.#onEvent(event, () => {
      this.#childSet = false;
    });

  #onEvent({ type, zxid = -1n }: WatchEvent, used: () => void): void {
    if (this.#stop.signal.aborted) return;
    used();
    if (type === 'closed') return;
    if (type === 'session-lost') {
      this.#told = undefined;
      this.#isSet = false;
    } else if (this.#isBack) this.#tell(type, zxid);
    else {
      // Part of what was missed: the next look is like the first one.
      this.#told = undefined;
      this.#dataSet = false;
      this.#childSet = false;
      this.#isSet = false;
    }
    this.#look();
  }

  #tell(type: Change, zxid: bigint): void {
    const told = this.#told;
    // Both watches hear of a deletion.
    if (type === 'deleted' && told === null) return;
    if (type === 'deleted') this.#told = null;
    else if (type === 'created') this.#told = { czxid: null, version: 0, cversion: 0 };
    else if (told && type === 'changed') told.version = (told.version + 1) | 0;
    else if (told && type === 'children' && told.cversion !== null) told.cversion = (told.cversion + 1) | 0;
    this.#hooks.tell(type, zxid);
  }

  /** Sets what isn't set. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#read().then(
      () => {
        this.#looking = false;
        if (this.#stop.signal.aborted) return;
        if (!this.#dataSet || (!this.#childSet && this.#told !== null)) this.#look();
        else if (!this.#isSet) {
          this.#isSet = true;
          this.#hooks.onSet();
        }
      },
      (error: ZooKeeperError) => {
        this.#looking = false;
        if (!this.#stop.signal.aborted && !this.#client.over.aborted) this.#hooks.onFailure(error);
      },
    );
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop;
    const options = { signal, watchSignal: signal };
    if (!this.#dataSet) {
      await persevere(this.#client, async () => {
        const stat = await readNode(this.#client, ROOT, exists, this.#path, { ...options, watch: this.#onData });
        this.#dataSet = true;
        this.#compare(stat);
      });
    }
    if (this.#told === null || this.#childSet) return;
    try {
      await persevere(this.#client, async () => {
        const { stat } = await readNode(this.#client, ROOT, getChildren, this.#path, {
          ...options,
          watch: this.#onChild,
        });
        this.#childSet = true;
        this.#compareChildren(stat);
      });
    } catch (error) {
      // Its deletion is told by the other watch, which has fired by now.
      if ((error as ZooKeeperError).code !== 'NO_NODE') throw error;
    }
  }

  #compare(stat: Stat | null): void {
    const told = this.#told;
    if (told === undefined) {
      this.#told = stat === null ? null : { czxid: stat.czxid, version: stat.version, cversion: null };
      return;
    }
    if (stat === null) {
      this.#tell('deleted', -1n);
      return;
    }
    if (told !== null && told.czxid !== null && told.czxid !== stat.czxid) this.#tell('deleted', -1n);
    if (this.#told === null) this.#tell('created', -1n);
    const present = this.#told as Told;
    present.czxid = stat.czxid;
    if (present.version !== stat.version) this.#hooks.tell('changed', -1n);
    present.version = stat.version;
  }

  #compareChildren({ cversion }: Stat): void {
    const told = this.#told;
    if (!told) return;
    if (told.cversion !== null && told.cversion !== cversion) this.#hooks.tell('children', -1n);
    told.cversion = cversion;
  }
}
