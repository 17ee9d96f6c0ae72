import { randomUUID } from 'node:crypto';
import { type ZooKeeperError, zooKeeperError } from '@zookit/protocol';
import { onAbort } from './abort.ts';
import type { Call } from './calls/call.ts';
import type { Core } from './core.ts';
import { deleteGuaranteed } from './guaranteed.ts';
import type { CreateArgs, Created } from './operations/create.ts';
import { exists, getChildren } from './operations/read.ts';
import { sync } from './operations/sync.ts';
import type { CallOptions } from './options.ts';
import { nameOf, parentOf } from './paths.ts';
import { persevere } from './persevere.ts';

/** Curator's mark of a protected znode: prefix, UUID, dash, name. */
export const PROTECTED_PREFIX = '_c_';

/** A mark of the caller's: one that nobody else knows. */
export interface OwnMark {
  readonly mark: string;
  /** Called when the create is given up, with what settles once nothing of it is left. */
  readonly onGivenUp?: ((gone: Promise<unknown>) => void) | undefined;
}

/** How one create is sent, be it with parents or on an old server. */
export type StartCreate = (args: CreateArgs) => { promise: Promise<Created>; withdraw(reason: unknown): boolean };

/**
 * A create that finds its own znode when the reply is lost: the name carries a UUID that only this call knows.
 *
 * Given up (abort, timeout) it leaves no znode behind: what may have been made is looked for and deleted in the background.
 */
export function createProtected(
  core: Core,
  args: CreateArgs,
  name: string,
  { signal, timeout }: CallOptions,
  start: StartCreate,
  { mark, onGivenUp }: OwnMark = { mark: `${PROTECTED_PREFIX}${randomUUID()}-` },
): Promise<Created> {
  const parent = parentOf(args.path);
  const path = `${parent === '/' ? '' : parent}/${mark}${nameOf(args.path)}`;
  const creation = new ProtectedCreate(core, { ...args, path }, parent, mark, name, start);
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = [];
    const done = (): void => {
      for (const off of offs) off();
    };
    const giveUp = (reason: unknown): void => {
      done();
      creation.giveUp(reason);
      reject(reason);
      onGivenUp?.(made.then(() => creation.removed));
    };
    if (signal !== undefined) {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      offs.push(onAbort(signal, () => giveUp(signal.reason)));
    }
    if (timeout !== undefined) {
      const expire = (): void =>
        giveUp(
          zooKeeperError('TIMEOUT', {
            path: name,
            operation: 'create',
            maybeApplied: false,
            message: `no answer within ${timeout} ms; what it may have made is being removed`,
          }),
        );
      offs.push(core.dispatcher.setTimeout(expire, timeout));
    }
    const made = creation.run();
    made.then(resolve, reject).finally(done);
  });
}

class ProtectedCreate {
  readonly #core: Core;
  readonly #args: CreateArgs;
  readonly #parent: string;
  readonly #mark: string;
  readonly #name: string;
  readonly #start: StartCreate;
  #present: Pick<Call<CreateArgs, Created>, 'withdraw'> | null = null;
  #givenUp = false;
  /** Settles when what was made in vain is gone. */
  removed: Promise<void> | null = null;

  constructor(core: Core, args: CreateArgs, parent: string, mark: string, name: string, start: StartCreate) {
    this.#core = core;
    this.#args = args;
    this.#parent = parent;
    this.#mark = mark;
    this.#name = name;
    this.#start = start;
  }

  async run(): Promise<Created> {
    const session = this.#core.session.grant;
    for (;;) {
      const attempt = this.#start(this.#args);
      this.#present = attempt;
      try {
        const created = await attempt.promise;
        if (this.#givenUp) this.#remove(created.path);
        return created;
      } catch (error) {
        this.#present = null;
        const { code } = error as ZooKeeperError;
        if (code !== 'CONNECTION_LOSS') throw error;
      }
      const found = await this.#find();
      if (found !== null && this.#givenUp) {
        this.#remove(found.path);
        return found;
      }
      if (found !== null && this.#isOurs(found)) return found;
      // A znode of a session that is over would vanish under its new owner.
      if (found !== null) await deleteGuaranteed(this.#core, found.path, -1, this.#name);
      if (this.#givenUp || (session?.signal.aborted === true && this.#isEphemeral())) {
        throw zooKeeperError('SESSION_EXPIRED', { path: this.#name, operation: 'create', maybeApplied: false });
      }
    }
  }

  giveUp(reason: unknown): void {
    this.#givenUp = true;
    this.#present?.withdraw(reason);
  }

  /** Looks for the znode until there is an answer; only a client that is over gets none. */
  async #find(): Promise<Created | null> {
    try {
      return await persevere(this.#core, () => this.#look());
    } catch (cause) {
      const { code, reason } = cause as ZooKeeperError;
      throw zooKeeperError(code, { path: this.#name, operation: 'create', maybeApplied: true, message: reason, cause });
    }
  }

  /** Asks a server that has caught up: one that lags might not show what the lost reply was about. */
  async #look(): Promise<Created | null> {
    const { dispatcher } = this.#core;
    for (;;) {
      await dispatcher.call(sync, { path: this.#parent }, this.#name, {});
      try {
        const { children } = await dispatcher.call(getChildren, { path: this.#parent, watch: false }, this.#name, {});
        const child = children.find((entry) => entry.startsWith(this.#mark));
        if (child === undefined) return null;
        const path = `${this.#parent === '/' ? '' : this.#parent}/${child}`;
        const stat = await dispatcher.call(exists, { path, watch: false }, this.#name, {});
        if (stat !== null) return { path, stat };
      } catch (error) {
        if ((error as ZooKeeperError).code === 'NO_NODE') return null;
        throw error;
      }
    }
  }

  #isEphemeral(): boolean {
    return this.#args.mode === 'ephemeral' || this.#args.mode === 'ephemeral-sequential';
  }

  #isOurs({ stat }: Created): boolean {
    return !this.#isEphemeral() || stat?.ephemeralOwner === this.#core.session.grant?.id;
  }

  #remove(path: string): void {
    // Only a client that is over ends this without success, and its session takes the znode along.
    this.removed = deleteGuaranteed(this.#core, path, -1, this.#name).catch(() => {});
  }
}
