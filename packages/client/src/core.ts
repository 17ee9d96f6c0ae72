import {
  type Connection,
  CreateFlag,
  ErrorCode,
  errorFromReply,
  OpCode,
  type Request,
  Xid,
  zooKeeperError,
} from '@zookit/protocol';
import { writeAuthPacket, writeCreateRequest } from '@zookit/protocol/internal';
import type { JuteWriter } from 'jute-ts';
import { ACL, toWire } from './acl.ts';
import { Dispatcher } from './calls/dispatcher.ts';
import type { ConnectString } from './connect-string.ts';
import { SafeEmitter } from './emitter.ts';
import type { Settings } from './options.ts';
import type { State, StateEvent } from './session/machine.ts';
import { Session } from './session/session.ts';
import { rearmRequests } from './watches/rearm.ts';
import { WatchRegistry } from './watches/registry.ts';

/** What a client tells its listeners. */
export type ZooKeeperEvents = Record<StateEvent, () => void> & {
  state: (state: State, previous: State) => void;
  /** The machine seems to have slept: what is held is in doubt until the server has answered. */
  suspect: () => void;
  /** Something that no call could report: a listener that threw, a watch that could not be set again. */
  error: (error: unknown) => void;
};

/** What all views of one client share: the session, the calls, the watches, the listeners. */
export class Core {
  readonly settings: Settings;
  readonly events: SafeEmitter<ZooKeeperEvents> = new SafeEmitter<ZooKeeperEvents>();
  readonly watches: WatchRegistry;
  readonly dispatcher: Dispatcher;
  readonly session: Session;
  readonly #chroot: string;
  readonly #auth: { scheme: string; auth: Uint8Array }[];
  #chrootMade = false;

  constructor(settings: Settings, target: ConnectString) {
    this.settings = settings;
    this.#chroot = target.chroot;
    this.#auth = [...settings.auth];
    this.watches = new WatchRegistry((error) => this.events.report(error));
    this.dispatcher = new Dispatcher(settings, this.watches, {
      wake: () => this.session.wake(),
      sessionOver: (error) => this.session.sessionOver(error),
      authRefused: (error) => this.session.authRefused(error),
    });
    this.session = new Session(settings, target, {
      onState: (state, previous, event) => this.#onState(state, previous, event),
      onSuspect: () => this.events.emit('suspect'),
      serve: (connection) => this.#serve(connection),
      endSession: (error) => {
        this.watches.endAll('session-lost');
        this.dispatcher.endSession(error);
      },
      stop: (error) => {
        this.watches.endAll('closed');
        this.dispatcher.stop(error);
      },
      onNotification: ({ type, path }, zxid) => this.watches.dispatch(type, path ?? '', zxid),
      onDrain: () => this.dispatcher.onDrain(),
    });
  }

  /** Aborts when no call can be made any more. */
  get over(): AbortSignal {
    return this.dispatcher.over;
  }

  /** Presents the credentials on this connection, if there is one, and on every later one. */
  addAuth(scheme: string, auth: Uint8Array): Promise<void> {
    this.#auth.push({ scheme, auth });
    const { connection } = this.session;
    return connection === null ? Promise.resolve() : this.#authenticate(connection, scheme, auth);
  }

  #onState(state: State, previous: State, event: StateEvent | undefined): void {
    if (state === 'suspended') this.dispatcher.detach();
    this.events.emit('state', state, previous);
    if (event !== undefined) this.events.emit(event);
  }

  /** In this order: credentials, watches, calls. The server handles them in the order in which they come. */
  #serve(connection: Connection): void {
    for (const { scheme, auth } of this.#auth) {
      this.#authenticate(connection, scheme, auth).catch(() => {
        // The session has been told, and ends the client.
      });
    }
    if (this.settings.createChroot && !this.#chrootMade) this.#makeChroot(connection);
    const zxid = this.session.lastZxid;
    for (const request of rearmRequests(this.watches, zxid, (errno) => this.#onRearmed(errno))) {
      connection.sendSpecial(request, Xid.setWatches);
    }
    this.dispatcher.attach(connection);
  }

  #onRearmed(errno: number): void {
    if (errno !== 0) this.events.report(errorFromReply(errno, { operation: 'setWatches' }));
  }

  #authenticate(connection: Connection, scheme: string, auth: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const request = requestOf(OpCode.auth, (writer) => writeAuthPacket(writer, { type: 0, scheme, auth }), {
        onReply: (errno) => {
          if (errno === ErrorCode.OK) {
            resolve();
            return;
          }
          const error = zooKeeperError('AUTH_FAILED', {
            operation: 'auth',
            message: `the server refused the credentials of scheme ${JSON.stringify(scheme)}`,
            cause: errorFromReply(errno),
          });
          this.session.authRefused(error);
          reject(error);
        },
        // The next connection presents them again.
        onFailure: () => resolve(),
      });
      connection.sendSpecial(request, Xid.auth);
    });
  }

  /** Each part of the chroot, from the top; those that exist already answer NODE_EXISTS. */
  #makeChroot(connection: Connection): void {
    const parts = this.#chroot.split('/').slice(1);
    const acl = toWire(this.settings.acl ?? ACL.OPEN, 'connect', this.#chroot);
    for (const [index] of parts.entries()) {
      const path = `/${parts.slice(0, index + 1).join('/')}`;
      if (path === '/') continue;
      const write = (writer: JuteWriter): void =>
        writeCreateRequest(writer, { path, data: null, acl, flags: CreateFlag.persistent });
      connection.send(
        requestOf(OpCode.create, write, {
          onReply: (errno) => {
            const made = errno === ErrorCode.OK || errno === ErrorCode.NODE_EXISTS;
            if (made && index === parts.length - 1) this.#chrootMade = true;
            if (!made) this.events.report(errorFromReply(errno, { operation: 'createChroot', path }));
          },
          // The next connection makes it.
          onFailure: () => {},
        }),
      );
    }
  }
}

function requestOf(opcode: number, write: Request['write'], ends: Pick<Request, 'onReply' | 'onFailure'>): Request {
  return { opcode, xid: 0, sentAt: 0, write, ...ends };
}
