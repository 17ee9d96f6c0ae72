import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { bool, bytes, Cursor, frame, int, long, PASSWORD, reply, stat, vector } from './bytes.ts';

export interface Handshake {
  lastZxid: bigint;
  timeout: number;
  id: bigint;
  password: Buffer;
  readOnly: boolean;
  /** The frame's body as it came. */
  raw: Buffer;
}

export interface ClientRequest {
  xid: number;
  type: number;
  /** Behind the header. */
  body: Buffer;
  /** The first text of the body, which is the path of most requests. */
  path: string | null;
}

export interface Granted {
  version?: number;
  timeout?: number;
  id?: bigint;
  password?: Uint8Array | null;
  /** null: the byte is left out. */
  readOnly?: boolean | null;
}

/** What a server does about something: bytes are sent, 'close' ends the connection, 'mute' does nothing. */
export type Reaction = Buffer | 'close' | 'mute';

export interface Script {
  /** A connection was accepted. */
  onConnect?(peer: Peer): Reaction | undefined;
  /** The answer to a four-letter word; the connection ends after it. Default: nothing. */
  onWord?(word: string): string;
  /** undefined: the session asked for is granted, or a new one. */
  onHandshake?(handshake: Handshake, peer: Peer): Reaction | undefined;
  /** undefined: answered as a friendly server would. */
  onRequest?(request: ClientRequest, peer: Peer): Reaction | undefined;
}

/** One connection, seen from the server. */
export class Peer {
  readonly index: number;
  readonly at: number;
  readonly requests: ClientRequest[] = [];
  handshake: Handshake | null = null;
  closed = false;
  /** What it asked in place of a ConnectRequest. */
  word: string | null = null;
  readonly #onWord: () => void;
  readonly #stream: Duplex;
  readonly #onFrame: (body: Buffer) => void;
  #pending: Buffer = Buffer.alloc(0);

  constructor(
    index: number,
    at: number,
    stream: Duplex,
    onFrame: (peer: Peer, body: Buffer) => void,
    onWord: (peer: Peer) => void,
  ) {
    this.#onWord = () => onWord(this);
    this.index = index;
    this.at = at;
    this.#stream = stream;
    this.#onFrame = (body) => onFrame(this, body);
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', () => {});
    stream.on('end', () => stream.end());
    stream.on('close', () => {
      this.closed = true;
    });
  }

  send(...chunks: Buffer[]): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(Buffer.concat(chunks));
  }

  /** Ends the connection after what was sent. */
  close(): void {
    this.#stream.end();
    this.#stream.resume();
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** The requests of some types, in order. */
  of(...types: number[]): ClientRequest[] {
    return this.requests.filter(({ type }) => types.includes(type));
  }

  /** The requests without pings. */
  get calls(): ClientRequest[] {
    return this.requests.filter(({ type }) => type !== 11);
  }

  #onData(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    if (this.handshake === null && /^[a-z]{4}/.test(this.#pending.toString('latin1', 0, 4))) {
      this.word = this.#pending.toString('latin1');
      this.#onWord();
      return;
    }
    while (this.#pending.length >= 4) {
      const end = 4 + this.#pending.readInt32BE(0);
      if (this.#pending.length < end) return;
      const body = this.#pending.subarray(4, end);
      this.#pending = this.#pending.subarray(end);
      this.#onFrame(body);
    }
  }
}

/**
 * A server that a test scripts: it speaks bytes of its own making, says yes to everything unless it is told otherwise, and
 * remembers every byte that it was sent.
 */
export class ScriptedServer {
  script: Script;
  /** What a new session gets unless the script says otherwise. */
  granted: Granted;
  zxid = 0x1_0000_0000n;
  readonly peers: Peer[] = [];
  readonly #now: () => number;
  readonly #server: Server;
  #nextId = 0x1000n;

  constructor(script: Script = {}, granted: Granted = {}, now: () => number = () => performance.now()) {
    this.script = script;
    this.granted = granted;
    this.#now = now;
    this.#server = createServer((socket) => this.accept(socket.setNoDelay(true)));
  }

  /** A server on a port of this machine. */
  static async listen(script: Script = {}, granted: Granted = {}): Promise<ScriptedServer> {
    const server = new ScriptedServer(script, granted);
    await server.listen();
    return server;
  }

  listen(port = 0): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  /** Stops listening and breaks all connections off; `listen()` opens the port again. */
  async stop(): Promise<void> {
    for (const peer of this.peers) peer.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectString(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The newest connection. */
  get last(): Peer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error('nobody has connected');
    return peer;
  }

  /** Every ConnectRequest, in order. */
  get handshakes(): Handshake[] {
    return this.peers.flatMap(({ handshake }) => (handshake === null ? [] : [handshake]));
  }

  get open(): number {
    return this.peers.filter(({ closed }) => !closed).length;
  }

  accept(stream: Duplex): void {
    const onWord = (peer: Peer): void => {
      peer.send(Buffer.from(this.script.onWord?.(peer.word ?? '') ?? ''));
      peer.close();
    };
    const peer = new Peer(this.peers.length, this.#now(), stream, (from, body) => this.#onFrame(from, body), onWord);
    this.peers.push(peer);
    this.#react(peer, this.script.onConnect?.(peer) ?? 'mute');
  }

  /** The bytes of a ConnectResponse. */
  grant(handshake: Handshake, granted: Granted = {}): Buffer {
    const given = { ...this.granted, ...granted };
    const id = given.id ?? (handshake.id === 0n ? this.#nextId : handshake.id);
    if (id === this.#nextId) this.#nextId += 1n;
    const password = given.password === undefined ? PASSWORD : given.password;
    const body = [int(given.version ?? 0), int(given.timeout ?? handshake.timeout), long(id), bytes(password)];
    return frame(...body, ...(given.readOnly === null ? [] : [bool(given.readOnly ?? false)]));
  }

  /** The bytes of "this session is gone". */
  expired(): Buffer {
    return frame(int(0), int(0), long(0n), bytes(Buffer.alloc(16)), bool(false));
  }

  /** The next reply with this error. */
  error(request: ClientRequest, err: number): Buffer {
    return reply(request.xid, this.#tick(), err);
  }

  /** A friendly server's answer. */
  answer(request: ClientRequest): Buffer {
    const { xid, type, path } = request;
    const ok = (...body: Buffer[]): Buffer => reply(xid, this.#tick(), 0, ...body);
    switch (type) {
      case 11:
        return reply(-2, this.zxid, 0);
      case 100:
        return reply(-4, 0n, 0);
      case 1:
      case 9:
        return ok(bytes(path));
      case 3:
      case 5:
        return ok(stat());
      case 4:
        return ok(bytes(`data of ${path}`), stat());
      case 12:
        return ok(vector(bytes('a'), bytes('b')), stat());
      case 15:
      case 19:
      case 21:
        return ok(bytes(path), stat());
      default:
        return ok();
    }
  }

  #tick(): bigint {
    this.zxid += 1n;
    return this.zxid;
  }

  #onFrame(peer: Peer, body: Buffer): void {
    const cursor = new Cursor(body);
    if (peer.handshake === null) {
      cursor.int();
      const [lastZxid, timeout, id] = [cursor.long(), cursor.int(), cursor.long()];
      const password = Buffer.from(cursor.bytes() as Buffer);
      const handshake = { lastZxid, timeout, id, password, readOnly: cursor.bool(), raw: Buffer.from(body) };
      peer.handshake = handshake;
      this.#react(peer, this.script.onHandshake?.(handshake, peer) ?? this.grant(handshake));
      return;
    }
    const request: ClientRequest = {
      xid: cursor.int(),
      type: cursor.int(),
      body: Buffer.from(body.subarray(8)),
      path: null,
    };
    if (request.body.length >= 4 && request.type > 0 && request.type < 100)
      request.path = new Cursor(request.body).text();
    peer.requests.push(request);
    const reaction = this.script.onRequest?.(request, peer) ?? this.answer(request);
    this.#react(peer, reaction);
    if (request.type === -11 && Buffer.isBuffer(reaction)) peer.close();
  }

  #react(peer: Peer, reaction: Reaction): void {
    if (reaction === 'close') peer.close();
    else if (reaction !== 'mute') peer.send(reaction);
  }
}
