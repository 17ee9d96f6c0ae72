import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

// A ZooKeeper client of Buffer writes alone: nothing of the product's codec, so that it can tell when that is wrong.

export const Op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
} as const;

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

export function bool(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

export function buf(value: Buffer | string | null): Buffer {
  if (value === null) return int(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([int(bytes.length), bytes]);
}

export const str = buf;

export function list<T>(items: readonly T[] | null, write: (item: T) => Buffer): Buffer {
  return items === null ? int(-1) : Buffer.concat([int(items.length), ...items.map(write)]);
}

export interface RawAcl {
  perms: number;
  scheme: string;
  id: string;
}

export const open: RawAcl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];

export function aclList(acl: readonly RawAcl[] | null): Buffer {
  return list(acl, ({ perms, scheme, id }) => Buffer.concat([int(perms), str(scheme), str(id)]));
}

export interface RawStat {
  czxid: bigint;
  mzxid: bigint;
  ctime: bigint;
  mtime: bigint;
  version: number;
  cversion: number;
  aversion: number;
  ephemeralOwner: bigint;
  dataLength: number;
  numChildren: number;
  pzxid: bigint;
}

export class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  long(): bigint {
    this.#at += 8;
    return this.#bytes.readBigInt64BE(this.#at - 8);
  }

  bool(): boolean {
    this.#at += 1;
    return this.#bytes[this.#at - 1] === 1;
  }

  buf(): Buffer | null {
    const length = this.int();
    if (length < 0) return null;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Error('a buffer runs over the end of its frame');
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  str(): string | null {
    return this.buf()?.toString() ?? null;
  }

  strings(): (string | null)[] {
    return Array.from({ length: this.int() }, () => this.str());
  }

  acl(): RawAcl[] {
    return Array.from({ length: this.int() }, () => ({
      perms: this.int(),
      scheme: this.str() ?? '',
      id: this.str() ?? '',
    }));
  }

  stat(): RawStat {
    return {
      czxid: this.long(),
      mzxid: this.long(),
      ctime: this.long(),
      mtime: this.long(),
      version: this.int(),
      cversion: this.int(),
      aversion: this.int(),
      ephemeralOwner: this.long(),
      dataLength: this.int(),
      numChildren: this.int(),
      pzxid: this.long(),
    };
  }
}

export interface RawReply {
  xid: number;
  zxid: bigint;
  err: number;
  body: Cursor;
  /** Everything that arrived since the last reply, in order: 'event' for each notification, then 'reply'. */
  eventsBefore: RawEvent[];
}

export interface RawEvent {
  type: number;
  state: number;
  path: string | null;
  zxid: bigint;
}

export interface RawSession {
  bytes: number;
  timeout: number;
  id: bigint;
  password: Buffer;
  readOnly: boolean | null;
}

export interface RawHandshake {
  timeout?: number;
  id?: bigint;
  password?: Buffer | null;
  lastZxid?: bigint;
  /** null: the 44 bytes of a client that knows no read-only servers. */
  readOnly?: boolean | null;
}

export class RawClient {
  readonly stream: Duplex;
  session: RawSession | null = null;
  #xid = 0;
  #rest: Buffer = Buffer.alloc(0);
  #frames: Buffer[] = [];
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.stream = stream;
    const end = (): void => {
      this.#ended = true;
      this.#wakeAll();
    };
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', () => {});
    stream.on('end', end);
    stream.on('close', end);
  }

  static async dial(connectString: string): Promise<RawClient> {
    const [host = '', port = ''] = connectString.split(':');
    const socket = connect(Number(port), host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  /** Dials and opens a session. */
  static async open(connectString: string, handshake: RawHandshake = {}): Promise<RawClient> {
    const client = await RawClient.dial(connectString);
    const session = await client.handshake(handshake);
    if (session === null || session.timeout === 0) throw new Error('no session');
    return client;
  }

  get id(): bigint {
    return this.session?.id ?? 0n;
  }

  get password(): Buffer {
    return this.session?.password ?? Buffer.alloc(16);
  }

  sendRaw(bytes: Buffer | string): void {
    this.stream.write(bytes);
  }

  sendFrame(body: Buffer): void {
    this.stream.write(Buffer.concat([int(body.length), body]));
  }

  /** The next frame's body; null when the connection ended first. */
  async frame(): Promise<Buffer | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Bytes that made no whole frame, for what is not framed; resolves when the server closes. */
  async text(): Promise<string> {
    await this.ended();
    return Buffer.concat([...this.#frames, this.#rest]).toString();
  }

  async ended(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Null when the server closed without a byte. */
  async handshake(handshake: RawHandshake = {}): Promise<RawSession | null> {
    const { timeout = 5000, id = 0n, password = Buffer.alloc(16), lastZxid = 0n, readOnly = false } = handshake;
    const parts = [int(0), long(lastZxid), int(timeout), long(id), buf(password)];
    this.sendFrame(Buffer.concat(readOnly === null ? parts : [...parts, bool(readOnly)]));
    const frame = await this.frame();
    if (frame === null) return null;
    const r = new Cursor(frame);
    r.int();
    this.session = {
      bytes: frame.length,
      timeout: r.int(),
      id: r.long(),
      password: r.buf() ?? Buffer.alloc(0),
      readOnly: r.left > 0 ? r.bool() : null,
    };
    return this.session;
  }

  /** Sends a request without waiting; gives its xid. */
  send(type: number, body: Buffer = Buffer.alloc(0), xid: number = ++this.#xid): number {
    this.sendFrame(Buffer.concat([int(xid), int(type), body]));
    return xid;
  }

  /** The next reply; null when the connection ended first. */
  async reply(): Promise<RawReply | null> {
    const eventsBefore: RawEvent[] = [];
    for (;;) {
      const frame = await this.frame();
      if (frame === null) return null;
      const r = new Cursor(frame);
      const [xid, zxid, err] = [r.int(), r.long(), r.int()];
      if (xid !== -1) return { xid, zxid, err, body: r, eventsBefore };
      eventsBefore.push({ type: r.int(), state: r.int(), path: r.str(), zxid });
    }
  }

  async event(): Promise<RawEvent> {
    const frame = await this.frame();
    if (frame === null) throw new Error('the connection ended');
    const r = new Cursor(frame);
    const xid = r.int();
    if (xid !== -1) throw new Error(`a reply with xid ${xid} instead of an event`);
    const zxid = r.long();
    r.int();
    return { type: r.int(), state: r.int(), path: r.str(), zxid };
  }

  async call(type: number, body: Buffer = Buffer.alloc(0)): Promise<RawReply> {
    const xid = this.send(type, body);
    const reply = await this.reply();
    if (reply === null) throw new Error(`the connection ended before the reply to ${type}`);
    if (reply.xid !== xid) throw new Error(`a reply with xid ${reply.xid} instead of ${xid}`);
    return reply;
  }

  /** The err alone. */
  async err(type: number, body: Buffer = Buffer.alloc(0)): Promise<number> {
    return (await this.call(type, body)).err;
  }

  /** What arrived before the reply to a ping: an empty list says that nothing did. */
  async settle(): Promise<RawEvent[]> {
    this.send(Op.ping, Buffer.alloc(0), -2);
    const reply = await this.reply();
    if (reply === null || reply.xid !== -2) throw new Error('no reply to a ping');
    return reply.eventsBefore;
  }

  async close(): Promise<void> {
    if (!this.#ended && this.session !== null && this.session.timeout > 0) {
      this.send(Op.closeSession);
      while ((await this.frame()) !== null);
    }
    await this.cut();
  }

  async cut(): Promise<void> {
    if (this.stream.closed) return;
    const closed = new Promise<void>((resolve) => this.stream.once('close', () => resolve()));
    this.stream.destroy();
    await closed;
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4) {
      const length = this.#rest.readInt32BE(0);
      if (length > this.#rest.length - 4) break;
      this.#frames.push(this.#rest.subarray(4, 4 + length));
      this.#rest = this.#rest.subarray(4 + length);
    }
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

// Request bodies.

export function createBody(
  path: string | null,
  { data = '', acl = open, flags = 0 }: { data?: string | Buffer | null; acl?: RawAcl[] | null; flags?: number } = {},
): Buffer {
  return Buffer.concat([str(path), buf(data), aclList(acl), int(flags)]);
}

export function ttlBody(path: string, ttl: bigint, flags = 5): Buffer {
  return Buffer.concat([createBody(path, { flags }), long(ttl)]);
}

export function pathBody(path: string | null): Buffer {
  return str(path);
}

export function versionBody(path: string | null, version = -1): Buffer {
  return Buffer.concat([str(path), int(version)]);
}

export function watchBody(path: string | null, watch = false): Buffer {
  return Buffer.concat([str(path), bool(watch)]);
}

export function setBody(path: string | null, data: string | Buffer | null, version = -1): Buffer {
  return Buffer.concat([str(path), buf(data), int(version)]);
}

export function authBody(scheme: string, auth: string): Buffer {
  return Buffer.concat([int(0), str(scheme), buf(auth)]);
}

export function multiBody(operations: readonly (readonly [type: number, body: Buffer])[]): Buffer {
  const parts = operations.flatMap(([type, body]) => [int(type), bool(false), int(-1), body]);
  return Buffer.concat([...parts, int(-1), bool(true), int(-1)]);
}

/** Strings as the lists of a setWatches or setWatches2. */
export function setWatchesBody(relativeZxid: bigint, ...lists: (readonly string[] | null)[]): Buffer {
  return Buffer.concat([long(relativeZxid), ...lists.map((paths) => list(paths, str))]);
}

/** Waits for a condition that others bring about, looking at every turn of the loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
