import {
  type Connection,
  CreateFlag,
  ErrorCode,
  EventType,
  errorFromReply,
  OpCode,
  type Request,
  Xid,
  type ZooKeeperError,
  zooKeeperError,
} from '@zookit/protocol';
import { writeAuthPacket, writeCreateRequest } from '@zookit/protocol/internal';
import type { JuteWriter } from 'jute-ts';
import { ACL, toWire } from './acl.ts';
import { Dispatcher } from './calls/dispatcher.ts';
import type { ClientParts } from './client-parts.ts';
import type { ConnectString, Host } from './connect-string.ts';
import { connectChannel, sessionChannel } from './diagnostics.ts';
import { SafeEmitter } from './emitter.ts';
import { ConfigTracker } from './ensemble/config-tracker.ts';
import { findWritable } from './ensemble/writable-server.ts';
import { getData } from './operations/read.ts';
import type { Settings } from './options.ts';
import { CONFIG_NODE, PathRoot } from './paths.ts';
import type { State, StateEvent } from './session/machine.ts';
import { Session } from './session/session.ts';
import { readAndWatch } from './watched-read.ts';
import { type Meaning, meaningOf } from './watches/event.ts';
import { PersistentWatches } from './watches/persistent-watches.ts';
import { rearm, restoreOneShots } from './watches/rearm.ts';
import { WatchRegistry, watcherOf } from './watches/registry.ts';

const CHILDREN: Meaning = meaningOf(EventType.children) as Meaning;

/** What a client tells its listeners. */
export type ZooKeeperEvents = Record<StateEvent, () => void> & {
  state: (state: State, previous: State) => void;
  /** The machine seems to have slept: what is held is in doubt until the server has answered. */
  suspect: () => void;
  /** Something that no call could report: a listener that threw, a watch that could not be set again. */
  error: (error: unknown) => void;
};

/** What all views of one client share: the session, the calls, the watches, the listeners. */
export class Core implements ClientParts {
  readonly settings: Settings;
  readonly events: SafeEmitter<ZooKeeperEvents> = new SafeEmitter<ZooKeeperEvents>();
  /** One-shot watches. */
  readonly watches: WatchRegistry;
  readonly persistent: PersistentWatches;
  readonly dispatcher: Dispatcher;
  readonly session: Session;
  readonly #chroot: string;
  readonly #auth: { scheme: string; auth: Uint8Array }[];
  readonly #tracker: ConfigTracker | null;
  #chrootMade = false;
  /** Calls with a smaller number were made in the session before. */
  #lostBefore = 0;
  /** Ends the search for a writable server. */
  #writableSearch: AbortController | null = null;

  constructor(settings: Settings, target: ConnectString) {
    this.settings = settings;
    this.#chroot = target.chroot;
    this.#auth = [...settings.auth];
    this.watches = new WatchRegistry((error) => this.events.report(error));
    this.persistent = new PersistentWatches(this);
    this.dispatcher = new Dispatcher(settings, this.watches, {
      wake: () => this.session.wake(),
      sessionOver: (error) => this.session.sessionOver(error),
      authRefused: (error) => this.session.authRefused(error),
      mustStay: (kind, path) => this.persistent.endangeredBy(kind, path),
      onLeftToOthers: (kind, path) => {
        if (!this.persistent.covers(kind === 'child' ? 'child' : 'data', path)) void restoreOneShots(this, path);
      },
    });
    this.session = new Session(settings, target, {
      onState: (state, previous, event) => this.#onState(state, previous, event),
      onSuspect: () => this.events.emit('suspect'),
      serve: (connection) => this.#serve(connection),
      leave: (state, error) => this.#leave(state, error),
      endSession: (error) => {
        this.watches.endAll('session-lost');
        if (!settings.renewSession) this.persistent.endAll(error);
        this.dispatcher.endSession(error, this.#lostBefore);
      },
      stop: (error) => {
        this.watches.endAll('closed');
        this.persistent.endAll(error);
        this.dispatcher.stop(error);
      },
      onNotification: ({ type, path }, zxid) => this.#onNotification(type, path ?? '', zxid),
      onDrain: () => this.dispatcher.onDrain(),
    });
    this.#tracker = settings.trackConfig ? this.#makeTracker() : null;
  }

  /** Replaces the list of servers, and moves to another one when the load should be spread anew. */
  updateServers(hosts: readonly Host[]): void {
    this.#moveIf(this.session.hosts.update(hosts, this.#currentHost()));
  }

  #moveIf(move: boolean): void {
    if (move) this.session.move('the list of servers has changed');
  }

  #currentHost(): Host | null {
    const target = this.session.connection?.target;
    return target === undefined ? null : { host: target.host, port: target.port };
  }

  /** Aborts when no call can be made any more. */
  get over(): AbortSignal {
    return this.dispatcher.over;
  }

  /** Presents the credentials on this connection, if there is one, and on every later one. */
  async addAuth(scheme: string, auth: Uint8Array): Promise<void> {
    this.#auth.push({ scheme, auth });
    const { connection } = this.session;
    if (connection !== null) await this.#authenticate(connection, scheme, auth);
  }

  /** Before anybody is told: what listeners ask for must not go out on what is over. */
  #leave(state: State, error: ZooKeeperError | null): void {
    const over = state === 'closed' || state === 'auth-failed' || (state === 'lost' && !this.settings.renewSession);
    if (over && error !== null) this.dispatcher.refuse(error);
    else this.dispatcher.detach();
    this.persistent.detach();
    this.#lostBefore = this.dispatcher.nextOrder;
  }

  #onState(state: State, previous: State, event: StateEvent | undefined): void {
    this.#writableSearch?.abort();
    this.#writableSearch = null;
    if (state === 'readonly') this.#lookForWritable();
    if (sessionChannel.hasSubscribers)
      sessionChannel.publish({ state, previous, sessionId: this.session.grant?.id ?? null });
    this.events.emit('state', state, previous);
    if (event !== undefined) this.events.emit(event);
  }

  #makeTracker(): ConfigTracker {
    const root = new PathRoot('/');
    return new ConfigTracker({
      read: async (onChange) => {
        const watcher = watcherOf(onChange, root);
        const { data } = await readAndWatch(this, getData, CONFIG_NODE, CONFIG_NODE, {}, watcher);
        return data?.toString() ?? '';
      },
      update: (hosts) => this.#moveIf(this.session.hosts.follow(hosts, this.#currentHost())),
      warn: (message) => this.settings.logger.warn(message),
    });
  }

  #lookForWritable(): void {
    const search = new AbortController();
    this.#writableSearch = search;
    findWritable(this.settings, () => this.session.hosts.hosts, search.signal)
      .then((host) => {
        if (host === null || search.signal.aborted) return;
        this.session.hosts.prefer(host);
        this.session.move('a writable server was found');
      })
      .catch((error: unknown) => this.events.report(error));
  }

  /** In this order: credentials, watches, calls. The server handles them in the order in which they come. */
  #serve(connection: Connection): Promise<boolean> {
    const accepted = this.#auth.map(({ scheme, auth }) => this.#authenticate(connection, scheme, auth));
    if (this.settings.createChroot && !this.#chrootMade) this.#makeChroot(connection);
    let unanswered = accepted.length;
    for (const each of accepted)
      each.then(
        (ok) => (unanswered -= ok ? 1 : 0),
        () => {},
      );
    rearm(this, connection, () => unanswered === 0);
    if (connectChannel.hasSubscribers) {
      const { host, address, port } = connection.target;
      connectChannel.publish({ host, address, port, sessionId: connection.granted.sessionId });
    }
    this.dispatcher.attach(connection);
    this.#tracker?.read();
    return Promise.all(accepted).then(
      (all) => all.every(Boolean),
      // The session has been told, and ends the client.
      () => false,
    );
  }

  #onNotification(type: number, path: string, zxid: bigint): void {
    const meaning = meaningOf(type);
    if (meaning === undefined) return;
    this.watches.dispatch(meaning, path, zxid);
    const parent = this.persistent.dispatch(meaning.type, path, zxid);
    if (parent !== null) this.watches.dispatch(CHILDREN, parent, zxid);
  }

  /** False when the connection broke before the answer: the next one presents them again. */
  #authenticate(connection: Connection, scheme: string, auth: Uint8Array): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const request = requestOf(OpCode.auth, (writer) => writeAuthPacket(writer, { type: 0, scheme, auth }), {
        onReply: (errno) => {
          if (errno === ErrorCode.OK) {
            resolve(true);
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
        onFailure: () => resolve(false),
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
