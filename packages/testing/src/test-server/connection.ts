import type { Duplex } from 'node:stream';
import { ErrorCode, EventType, Xid, ZooKeeperError } from '@zookit/protocol';
import {
  FrameDecoder,
  ignore,
  type RequestHeader,
  readRequestHeader,
  writeWatcherEvent,
} from '@zookit/protocol/internal';
import { JuteError, JuteReader, JuteWriter } from 'jute-ts';
import { type Acl, type Identity, isAllowed, Perm } from './acl.ts';
import { type Asker, answerRequest } from './answer-request.ts';
import type { ServerTimer } from './clock.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type Handshake, type HandshakeOutcome, openSession, readHandshake, writeHandshakeReply } from './handshake.ts';
import { type ObservedRequest, observe, observeHandshake, operationName } from './observe.ts';
import { type Reply, replyTo, writeFrame, writeReply } from './reply.ts';
import type { Session } from './sessions.ts';
import type { Ruling } from './verdict.ts';
import { noZxid, type ServerEvent } from './watch-event.ts';

const syncConnected = 3;
const wordLength = 4;

/** One client's connection: cuts its bytes into requests and answers them in order. */
export class Connection implements Asker {
  readonly #host: ConnectionHost;
  readonly #stream: Duplex;
  readonly #decoder: FrameDecoder;
  readonly #identities: Identity[];
  #state: 'handshake' | 'open' | 'ending' | 'closed' = 'handshake';
  #session: Session | null = null;
  /** The first bytes, until there are enough to tell a command from a client. */
  #head: Buffer | null = Buffer.alloc(0);
  #frames: Buffer[] = [];
  #delay: ServerTimer | null = null;
  /** Whether the line waits for an interceptor to make up its mind. */
  #undecided = false;
  /** A request that has waited long enough, in front of the line. */
  #due: (() => void) | null = null;
  /** Frames of one turn, which leave together at its end. */
  readonly #out = new JuteWriter(4096);
  #flushing = false;

  constructor(host: ConnectionHost, stream: Duplex, address: string) {
    this.#host = host;
    this.#stream = stream;
    this.#decoder = new FrameDecoder(host.maxRequestBytes);
    this.#identities = [{ scheme: 'ip', id: address }];
    stream.on('error', ignore);
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('end', () => this.#end());
    stream.on('close', () => this.#leave('closed'));
    this.pauseOrResume();
  }

  get member(): number {
    return this.#host.member;
  }

  get sessionId(): bigint {
    return this.#session?.id ?? 0n;
  }

  get identities(): readonly Identity[] {
    return this.#identities;
  }

  addIdentity(identity: Identity): void {
    this.#identities.push(identity);
  }

  /** Follows the member: while it is paused nothing is read and nothing is answered. */
  pauseOrResume(): void {
    if (this.#host.paused) {
      this.#stream.pause();
      return;
    }
    this.#pump();
    this.#stream.resume();
  }

  /** Cuts the connection; what was not sent yet is lost. */
  cut(): void {
    this.#leave('closed');
    this.#stream.destroy();
  }

  notify(event: ServerEvent, acl: readonly Acl[] | null): void {
    const { profile } = this.#host.database;
    if (acl !== null && profile.eventsNeedRead && !isAllowed(acl, Perm.read, this.#identities)) return;
    const { type, path } = event;
    const zxid = profile.eventZxid ? event.zxid : noZxid;
    this.#host.log({ event: 'watch-event', sessionId: this.sessionId, type: eventName(type), path, zxid: event.zxid });
    const body: Reply['body'] = (w) => writeWatcherEvent(w, { type, state: syncConnected, path });
    this.#send({ xid: Xid.notification, zxid, err: 0, body });
  }

  get #alive(): boolean {
    return this.#state === 'handshake' || this.#state === 'open';
  }

  #receive(chunk: Buffer): void {
    if (!this.#alive) return;
    const bytes = this.#head === null ? chunk : this.#readWord(Buffer.concat([this.#head, chunk]));
    if (bytes === null) return;
    if (!this.#cutIntoFrames(bytes)) {
      this.cut();
      return;
    }
    // A request that has arrived keeps the session alive, however long it then waits for its turn.
    if (this.#session !== null) this.#host.database.sessions.touch(this.#session);
    this.#pump();
  }

  // Four letters in place of the first length are a command, not a client.
  #readWord(head: Buffer): Buffer | null {
    if (head.length < wordLength) {
      this.#head = head;
      return null;
    }
    this.#head = null;
    const answer = this.#host.fourLetterWord(head.toString('latin1', 0, wordLength));
    if (answer === null) return head;
    this.#stream.write(answer);
    this.#end();
    return null;
  }

  #cutIntoFrames(bytes: Buffer): boolean {
    try {
      this.#decoder.push(bytes);
      for (let found = this.#decoder.next(); found !== 'more'; found = this.#decoder.next()) {
        if (found === 'oversized') return false;
        this.#frames.push(this.#decoder.buffer.subarray(this.#decoder.start, this.#decoder.end));
      }
      return true;
    } catch (error) {
      if (error instanceof ZooKeeperError) return false;
      throw error;
    }
  }

  #pump(): void {
    while (this.#alive && this.#delay === null && !this.#undecided && !this.#host.paused) {
      const due = this.#due;
      this.#due = null;
      if (due !== null) {
        due();
        continue;
      }
      const frame = this.#frames.shift();
      if (frame === undefined) return;
      if (this.#state === 'handshake') this.#shakeHands(frame);
      else this.#receiveRequest(frame);
    }
  }

  #shakeHands(frame: Buffer): void {
    const handshake = readHandshake(frame);
    if (handshake === null) {
      this.cut();
      return;
    }
    const { sessionId } = handshake;
    this.#rule(
      observeHandshake(sessionId, this.member),
      (silent) => this.#settle(handshake, openSession(handshake, this.#host), silent),
      (err) => {
        if (err === ErrorCode.SESSION_EXPIRED) this.#settle(handshake, { kind: 'refused' }, false);
        else this.#send({ xid: 0, zxid: this.#host.database.tree.lastZxid, err, body: null });
      },
    );
  }

  #settle(handshake: Handshake, outcome: HandshakeOutcome, silent: boolean): void {
    if (outcome.kind === 'cut') {
      this.cut();
      return;
    }
    if (outcome.kind === 'session') {
      this.#session = outcome.session;
      this.#state = 'open';
      this.#host.log({ event: outcome.resumed ? 'session-resumed' : 'session', sessionId: outcome.session.id });
    } else {
      this.#host.log({ event: 'session-refused', sessionId: handshake.sessionId });
    }
    if (!silent) {
      writeFrame(this.#out, () => writeHandshakeReply(this.#out, handshake, outcome, this.#host));
      this.#flushSoon();
    }
    if (outcome.kind === 'refused') this.#end();
  }

  #receiveRequest(frame: Buffer): void {
    const r = new JuteReader(frame);
    const header = readHeader(r);
    if (header === null) {
      this.cut();
      return;
    }
    const perform = (silent: boolean): void => this.#answer(header, answerRequest(header, r, this, this.#host), silent);
    if (!this.#host.observed) {
      perform(false);
      return;
    }
    const observed = observe(header.type, frame.subarray(r.offset), this.sessionId, this.member);
    this.#host.log({ event: 'request', sessionId: this.sessionId, type: observed.wireType, path: observed.path });
    this.#rule(observed, perform, (err) =>
      this.#answer(header, replyTo(header, this.#host.database.tree.lastZxid, err, null), false),
    );
  }

  #rule(observed: ObservedRequest, perform: (silent: boolean) => void, refuse: (err: number) => void): void {
    const ruling = this.#host.judge(observed);
    if (!(ruling instanceof Promise)) {
      this.#execute(ruling, perform, refuse);
      return;
    }
    this.#undecided = true;
    void ruling.then((late) => {
      this.#undecided = false;
      this.#due = () => this.#execute(late, perform, refuse);
      this.#pump();
    });
  }

  #execute(ruling: Ruling, perform: (silent: boolean) => void, refuse: (err: number) => void): void {
    // An interceptor may have cut the connection by other means.
    if (!this.#alive) return;
    if (typeof ruling === 'object') {
      if ('error' in ruling) refuse(ruling.error);
      else this.#postpone(() => perform(false), ruling.delay);
      return;
    }
    if (ruling === 'drop-request') return;
    if (ruling !== 'disconnect-before') perform(ruling !== 'pass');
    if (ruling === 'disconnect-before' || ruling === 'disconnect-after') this.cut();
  }

  #postpone(action: () => void, ms: number): void {
    this.#delay = this.#host.database.clock.setTimeout(() => {
      this.#delay = null;
      this.#due = action;
      this.#pump();
    }, ms);
  }

  #answer(header: RequestHeader, reply: Reply | 'cut', silent: boolean): void {
    if (reply === 'cut') {
      this.cut();
      return;
    }
    if (!silent) {
      const { zxid, err } = reply;
      this.#host.log({ event: 'reply', sessionId: this.sessionId, type: operationName(header.type), zxid, err });
      this.#send(reply);
    }
    if (reply.last) this.#end();
  }

  #send(reply: Reply): void {
    if (!this.#alive) return;
    writeReply(this.#out, reply);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      if (this.#alive) this.#flush();
    });
  }

  #flush(): void {
    if (this.#out.length > 0) this.#stream.write(this.#out.take());
  }

  // Sends what was written, then closes both directions, as a server that is done with a client does.
  #end(): void {
    if (!this.#alive) return;
    this.#leave('ending');
    this.#flush();
    this.#stream.end(() => this.#stream.destroy());
  }

  #leave(state: 'ending' | 'closed'): void {
    const left = this.#alive;
    if (this.#state !== 'closed') this.#state = state;
    if (!left) return;
    this.#frames = [];
    this.#due = null;
    if (this.#delay !== null) this.#host.database.clock.clearTimeout(this.#delay);
    this.#delay = null;
    this.#host.left(this);
  }
}

function readHeader(r: JuteReader): RequestHeader | null {
  try {
    return readRequestHeader(r);
  } catch (error) {
    if (error instanceof JuteError) return null;
    throw error;
  }
}

const eventNames: ReadonlyMap<number, string> = new Map(Object.entries(EventType).map(([name, type]) => [type, name]));

function eventName(type: number): string {
  return eventNames.get(type) ?? String(type);
}
