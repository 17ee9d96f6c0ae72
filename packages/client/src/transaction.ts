import {
  BadArgumentsError,
  type Connection,
  errorFromReply,
  OpCode,
  type Stat,
  TransactionError,
  type ZooKeeperError,
  zooKeeperError,
} from '@zookit/protocol';
import {
  type MultiOperation,
  type MultiResult,
  writeCheckVersionRequest,
  writeDeleteRequest,
  writeSetDataRequest,
} from '@zookit/protocol/internal';
import type { JuteWriter } from 'jute-ts';
import type { Core } from './core.ts';
import { type CreateOptions, createArgs } from './create.ts';
import { type Data, newBytes } from './data.ts';
import { remainder } from './deadline.ts';
import { optionsOf } from './given.ts';
import { mayKnow } from './known-calls.ts';
import { type CreateArgs, type Created, create, create2, createFor } from './operations/create.ts';
import { multi, multiCheck } from './operations/multi.ts';
import { type CallOptions, checkCallOptions } from './options.ts';
import { checkPath, type PathRoot } from './paths.ts';
import { checkVersion } from './version.ts';

/** How a transaction creates a znode: as `create()`, but for what takes more than one request. */
export type TransactionCreateOptions = Pick<CreateOptions, 'mode' | 'ttl' | 'acl'>;

/** Of a create, of a set, and of a delete or check. */
export type TransactionResult = { path: string; stat: Stat | null } | Stat | undefined;

interface Step extends MultiOperation {
  readonly name: string;
  /** As the caller wrote it. */
  readonly path: string;
  /** What does for it where create2 is not known in a transaction; absent where the step itself does. */
  plain?(): MultiOperation;
  /** What the caller gets; null when the result is not one of this kind of operation. */
  result(result: MultiResult): { value: TransactionResult } | null;
}

const nothing = (result: MultiResult): { value: undefined } | null =>
  result.kind === 'nothing' ? { value: undefined } : null;

class CreateStep implements Step {
  readonly name = 'create';
  readonly path: string;
  readonly type: number;
  readonly #args: CreateArgs;
  readonly #root: PathRoot;

  constructor(path: string, args: CreateArgs, root: PathRoot) {
    this.path = path;
    this.type = createFor(args.mode).opcode;
    this.#args = args;
    this.#root = root;
  }

  write(writer: JuteWriter): void {
    createFor(this.#args.mode).write(writer, this.#args);
  }

  plain(): MultiOperation {
    if (this.type !== OpCode.create2) return this;
    return { type: create.opcode, write: (writer) => create.write(writer, this.#args) };
  }

  result(result: MultiResult): { value: Created } | null {
    if (result.kind !== 'create') return null;
    return { value: { path: this.#root.toView(result.path ?? this.#args.path), stat: result.stat } };
  }
}

/** `path` is what errors name, `target` what the server is asked. */
function check(path: string, target: string, version: number): Step {
  return {
    name: 'check',
    path,
    type: OpCode.check,
    write: (writer) => writeCheckVersionRequest(writer, { path: target, version }),
    result: nothing,
  };
}

/** Connections to servers that know create2, but not in a transaction, or not at all (3.4). */
const withoutCreate2 = new WeakSet<Connection>();

let checkStep: (transaction: Transaction, target: string) => void;

/** Adds a check that the znode of a server path exists, whatever view the transaction was made on. False when it is none of this package's. */
export function checkOnServer(transaction: object, target: string): boolean {
  if (!(transaction instanceof Transaction)) return false;
  checkStep(transaction, target);
  return true;
}

/**
 * Operations that are applied together, in order, or not at all. Made by `zk.transaction()`; sent by `commit()`, once.
 *
 * Adding an operation never throws: arguments that won't do make `commit()` reject.
 */
export class Transaction {
  readonly #core: Core;
  readonly #root: PathRoot;
  readonly #steps: Step[] = [];
  #fault: unknown = null;
  #committed = false;

  static {
    checkStep = (transaction, target) => {
      transaction.#add(() => check(transaction.#root.toView(target), target, -1));
    };
  }

  constructor(core: Core, root: PathRoot) {
    this.#core = core;
    this.#root = root;
  }

  /** Fails the transaction unless the znode exists and, with a version other than -1, is at it. */
  check(path: string, version = -1): this {
    return this.#add(() => {
      checkPath(path, 'check');
      return check(path, this.#root.toServer(path), checkVersion(version, 'check', path));
    });
  }

  /** Creates a znode. What comes behind it may be below it. */
  create(path: string, data?: Data, options: TransactionCreateOptions = {}): this {
    return this.#add(() => {
      const given: CreateOptions = optionsOf(options, 'create', path, "mode: 'ephemeral'");
      const { parents, protected: guarded } = given;
      if (parents || guarded) {
        throw bad('a transaction can neither make parents nor protect a create', path);
      }
      return new CreateStep(path, createArgs(this.#core, this.#root, path, data, given), this.#root);
    });
  }

  /** Replaces the data of a znode, if it is at the version; default -1, any. */
  set(path: string, data: Data, options: { version?: number } = {}): this {
    return this.#add(() => {
      checkPath(path, 'set');
      const { version = -1 } = optionsOf(options, 'set', path, 'version: 7');
      const args = {
        path: this.#root.toServer(path),
        data: newBytes(data, 'set', path),
        version: checkVersion(version, 'set', path),
      };
      return {
        name: 'set',
        path,
        type: OpCode.setData,
        write: (writer) => writeSetDataRequest(writer, args),
        result: (result) => (result.kind === 'stat' ? { value: result.stat } : null),
      };
    });
  }

  /** Deletes a znode, if it is at the version; default -1, any. */
  delete(path: string, options: { version?: number } = {}): this {
    return this.#add(() => {
      checkPath(path, 'delete');
      const { version = -1 } = optionsOf(options, 'delete', path, 'version: 7');
      const args = { path: this.#root.toServer(path), version: checkVersion(version, 'delete', path) };
      return {
        name: 'delete',
        path,
        type: OpCode.delete,
        write: (writer) => writeDeleteRequest(writer, args),
        result: nothing,
      };
    });
  }

  /**
   * Sends the transaction. Resolves with one result for each operation, in order: `{ path, stat }` of a create (`stat` is null
   * from servers that tell none), the Stat of a set, undefined of a delete or check. Without operations: an empty list.
   *
   * Rejects with TransactionError when an operation fails; then none was applied, and `results` says which one failed. A lost
   * connection is ConnectionLossError with `maybeApplied: true`; a transaction of checks only is sent again, as reads are.
   * BadArgumentsError: an operation's arguments won't do, or the transaction has been committed before.
   */
  async commit(options: CallOptions = {}): Promise<TransactionResult[]> {
    if (this.#committed) throw bad('the transaction has been committed before; make another one');
    this.#committed = true;
    if (this.#fault !== null) throw this.#fault;
    const given = checkCallOptions(options, multi.name);
    const results = await this.#send(remainder(this.#core, given));
    const failed = indexOfFailure(results);
    if (failed >= 0) throw this.#failure(results, failed);
    return this.#steps.map((step, index) => {
      const result = results[index];
      const valued = result === undefined ? null : step.result(result);
      if (valued !== null) return valued.value;
      throw zooKeeperError('PROTOCOL', {
        operation: multi.name,
        path: step.path,
        maybeApplied: true,
        message: `the server answered operation ${index + 1} of ${this.#steps.length} (${step.name}) as if it were another`,
      });
    });
  }

  #add(make: () => Step): this {
    try {
      this.#steps.push(make());
    } catch (fault) {
      this.#fault ??= fault;
    }
    return this;
  }

  async #send(left: () => CallOptions): Promise<MultiResult[]> {
    const { session, over } = this.#core;
    if (this.#steps.length === 0 && !over.aborted) return [];
    const { connection } = session;
    const withCreate2 = mayKnow(this.#core, create2.opcode) && !(connection !== null && withoutCreate2.has(connection));
    try {
      return await this.#call(withCreate2, left());
    } catch (error) {
      const usesCreate2 = this.#operations(withCreate2).some(({ type }) => type === OpCode.create2);
      // An operation that the server can't read: nothing was done.
      if ((error as ZooKeeperError).code !== 'MARSHALLING_ERROR' || !usesCreate2) throw error;
    }
    const results = await this.#call(false, left());
    if (session.connection !== null) withoutCreate2.add(session.connection);
    return results;
  }

  #call(withCreate2: boolean, options: CallOptions): Promise<MultiResult[]> {
    const operations = this.#operations(withCreate2);
    const harmless = operations.every(({ type }) => type === OpCode.check);
    return this.#core.dispatcher.call(harmless ? multiCheck : multi, operations, undefined, options);
  }

  #operations(withCreate2: boolean): readonly MultiOperation[] {
    return withCreate2 ? this.#steps : this.#steps.map((step) => step.plain?.() ?? step);
  }

  #failure(results: readonly MultiResult[], failed: number): TransactionError {
    const errors = this.#steps.map(({ name, path }, index) => {
      if (index < failed) return null;
      return errorFromReply(errnoOf(results[index]), { operation: name, path });
    });
    const cause = errors[failed] as ZooKeeperError;
    return new TransactionError(cause.code, errors, {
      operation: cause.operation,
      path: cause.path,
      errno: cause.errno,
      maybeApplied: false,
      cause,
      message: `operation ${failed + 1} of ${this.#steps.length} failed, and none was applied`,
    });
  }
}

const RUNTIME_INCONSISTENCY = -2;

function errnoOf(result: MultiResult | undefined): number {
  return result?.kind === 'error' ? result.errno : RUNTIME_INCONSISTENCY;
}

/** The operation that brought the others down, or -1: they bear its code as RUNTIME_INCONSISTENCY, and 0 before it. */
function indexOfFailure(results: readonly MultiResult[]): number {
  if (results.every(({ kind }) => kind !== 'error')) return -1;
  const codes = results.map((result) => (result.kind === 'error' ? result.errno : 0));
  const first = codes.findIndex((code) => code !== 0 && code !== RUNTIME_INCONSISTENCY);
  return first >= 0 ? first : codes.findIndex((code) => code !== 0);
}

function bad(message: string, path?: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { operation: 'transaction', path, message });
}
