#!/usr/bin/env node
// Records what Apache ZooKeeper says on the wire, for the tests of @zookit/protocol: one conversation of every operation with each
// release, as packages/protocol/test/golden/apache-VERSION.json. Run it after a build: node scripts/record-golden-frames.mjs [VERSION...]
// Requests are put together by hand here, with nothing of the code that is tested by what comes of it.
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { RealServer } from '../packages/testing/dist/index.js';

const int = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const long = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};
const bool = (value) => Buffer.from([value ? 1 : 0]);
const buf = (value) => (value === null ? int(-1) : Buffer.concat([int(Buffer.from(value).length), Buffer.from(value)]));
const list = (items, write = buf) =>
  items === null ? int(-1) : Buffer.concat([int(items.length), ...items.map(write)]);
const acl = (entries) => list(entries, ([perms, scheme, id]) => Buffer.concat([int(perms), buf(scheme), buf(id)]));
const open = [[31, 'world', 'anyone']];

const Op = {
  ...{
    create: 1,
    delete: 2,
    exists: 3,
    getData: 4,
    setData: 5,
    getACL: 6,
    setACL: 7,
    getChildren: 8,
    sync: 9,
    ping: 11,
  },
  ...{ getChildren2: 12, check: 13, multi: 14, create2: 15, reconfig: 16, checkWatches: 17, removeWatches: 18 },
  ...{ createContainer: 19, createTTL: 21, multiRead: 22, auth: 100, setWatches: 101, sasl: 102, getEphemerals: 103 },
  ...{ getAllChildrenNumber: 104, setWatches2: 105, addWatch: 106, whoAmI: 107, closeSession: -11, unknown: 200 },
};
const create = (path, data = 'x', flags = 0) => [buf(path), buf(data), acl(open), int(flags)];
const multi = (...operations) => [
  ...operations.flatMap(([op, ...body]) => [int(op), bool(false), int(-1), ...body]),
  ...[int(-1), bool(true), int(-1)],
];

/** One connection, and every frame that went over it, in order. */
class Conversation {
  frames = [];
  #socket;
  #rest = Buffer.alloc(0);
  #heard = [];
  #wake = () => {};
  #ended = false;
  #xid = 0;

  static async begin(server) {
    const conversation = new Conversation();
    const [{ host, port }] = server.members;
    const socket = connect({ host, port });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    conversation.#socket = socket;
    socket.on('data', (chunk) => conversation.#hear(chunk));
    socket.on('close', () => {
      conversation.#ended = true;
      conversation.#wake();
    });
    return conversation;
  }

  async greet(name, { zxid = 0, timeout = 10_000, id = 0n, password = Buffer.alloc(16), readOnly = true } = {}) {
    const body = [int(0), long(zxid), int(timeout), long(id), buf(password), ...(readOnly ? [bool(false)] : [])];
    this.#write({ name, kind: 'connect-request' }, Buffer.concat(body));
    const answer = await this.#next();
    this.frames.push({ name, kind: 'connect-response', bytes: answer.toString('hex') });
    return { id: answer.readBigInt64BE(8), password: answer.subarray(20, 36) };
  }

  /** Sends a request and records what comes up to its answer, events included. */
  async ask(name, opcode, body = [], xid = ++this.#xid) {
    this.#write({ name, kind: 'request' }, Buffer.concat([int(xid), int(opcode), ...body]));
    for (;;) {
      const frame = await this.#next();
      if (frame === null) return null;
      const isEvent = frame.readInt32BE(0) === -1;
      this.frames.push({ name, kind: 'answer', opcode, bytes: frame.toString('hex') });
      if (!isEvent) return frame;
    }
  }

  /** Waits until the server has hung up, and says whether it did. */
  async end() {
    while (!this.#ended) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close() {
    this.#socket.destroy();
  }

  #write(what, body) {
    this.frames.push({ ...what, bytes: body.toString('hex') });
    this.#socket.write(Buffer.concat([int(body.length), body]));
  }

  async #next() {
    while (this.#heard.length === 0 && !this.#ended) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#heard.shift() ?? null;
  }

  #hear(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readInt32BE(0)) {
      const end = 4 + this.#rest.readInt32BE(0);
      this.#heard.push(this.#rest.subarray(4, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }
}

async function operations(server) {
  const c = await Conversation.begin(server);
  const session = await c.greet('new session');
  await c.ask('ping', Op.ping, [], -2);
  await c.ask('create', Op.create, create('/a', 'data of a'));
  await c.ask('create, null data', Op.create, create('/null', null));
  await c.ask('create, empty data', Op.create, create('/empty', ''));
  await c.ask('create, path beyond ASCII', Op.create, create('/ä-漢', 'ü'));
  await c.ask('create, exists', Op.create, create('/a'));
  await c.ask('create, no parent', Op.create, create('/none/a'));
  await c.ask('create, no ACL', Op.create, [buf('/b'), buf('x'), acl([]), int(0)]);
  await c.ask('create, bad path', Op.create, create('b'));
  await c.ask('create2', Op.create2, create('/a/b', 'data of b'));
  await c.ask('create2, persistent-sequential', Op.create2, create('/a/s-', 'x', 2));
  await c.ask('create2, ephemeral-sequential', Op.create2, create('/a/e-', 'x', 3));
  await c.ask('create, ephemeral', Op.create, create('/eph', 'x', 1));
  await c.ask('create, below an ephemeral', Op.create, create('/eph/child'));
  await c.ask('createContainer', Op.createContainer, create('/container', 'x', 4));
  await c.ask('createTTL', Op.createTTL, [...create('/ttl', 'x', 5), long(3_600_000)]);
  await c.ask('createTTL, bad ttl', Op.createTTL, [...create('/ttl0', 'x', 5), long(0)]);
  await c.ask('exists', Op.exists, [buf('/a'), bool(false)]);
  await c.ask('exists, missing, watched', Op.exists, [buf('/later'), bool(true)]);
  await c.ask('create, what was waited for', Op.create2, create('/later'));
  await c.ask('getData', Op.getData, [buf('/a'), bool(true)]);
  await c.ask('getData, null', Op.getData, [buf('/null'), bool(false)]);
  await c.ask('getData, empty', Op.getData, [buf('/empty'), bool(false)]);
  await c.ask('getData, missing', Op.getData, [buf('/none'), bool(false)]);
  await c.ask('setData, watched', Op.setData, [buf('/a'), buf('new'), int(-1)]);
  await c.ask('setData, bad version', Op.setData, [buf('/a'), buf('new'), int(7)]);
  await c.ask('getChildren', Op.getChildren, [buf('/a'), bool(true)]);
  await c.ask('getChildren2', Op.getChildren2, [buf('/a'), bool(false)]);
  await c.ask('getChildren2, none', Op.getChildren2, [buf('/null'), bool(false)]);
  await c.ask('delete, watched children', Op.delete, [buf('/a/b'), int(0)]);
  await c.ask('delete, not empty', Op.delete, [buf('/a'), int(-1)]);
  await c.ask('sync', Op.sync, [buf('/a')]);
  await c.ask('getACL', Op.getACL, [buf('/a')]);
  await c.ask('auth, digest', Op.auth, [int(0), buf('digest'), buf('user:secret')], -4);
  await c.ask('setACL', Op.setACL, [buf('/null'), acl([...open, [31, 'auth', '']]), int(-1)]);
  await c.ask('setACL, unusable', Op.setACL, [buf('/null'), acl([[31, 'digest', 'nonsense']]), int(-1)]);
  await c.ask('getACL, two entries', Op.getACL, [buf('/null')]);
  await c.ask('whoAmI', Op.whoAmI);
  await c.ask('getEphemerals', Op.getEphemerals, [buf('/')]);
  await c.ask('getEphemerals, none', Op.getEphemerals, [buf('/nothing')]);
  await c.ask('getAllChildrenNumber', Op.getAllChildrenNumber, [buf('/a')]);
  await c.ask('getData, configuration', Op.getData, [buf('/zookeeper/config'), bool(false)]);
  await c.ask('reconfig, disabled', Op.reconfig, [buf(null), buf(null), buf(null), long(-1)]);
  const all = multi(
    [Op.check, buf('/a'), int(-1)],
    [Op.create, ...create('/m')],
    [Op.create2, ...create('/m/b')],
    [Op.createContainer, ...create('/m/c', 'x', 4)],
    [Op.createTTL, ...create('/m/t', 'x', 5), long(3_600_000)],
    [Op.setData, buf('/m'), buf('y'), int(-1)],
    [Op.delete, buf('/m/b'), int(-1)],
  );
  await c.ask('multi', Op.multi, all);
  await c.ask(
    'multi, fails',
    Op.multi,
    multi([Op.create, ...create('/f')], [Op.create, ...create('/a')], [Op.delete, buf('/f'), int(-1)]),
  );
  await c.ask('multi, empty', Op.multi, multi());
  await c.ask('multi, unreadable', Op.multi, multi([Op.getACL, buf('/a')]));
  const reads = multi(
    [Op.getData, buf('/a'), bool(false)],
    [Op.getChildren, buf('/a'), bool(false)],
    [Op.getData, buf('/none'), bool(false)],
  );
  await c.ask('multiRead', Op.multiRead, reads);
  await c.ask('addWatch, persistent', Op.addWatch, [buf('/p'), int(0)]);
  await c.ask('addWatch, recursive', Op.addWatch, [buf('/a'), int(1)]);
  await c.ask('addWatch, bad mode', Op.addWatch, [buf('/a'), int(9)]);
  await c.ask('create, persistently watched', Op.create2, create('/p'));
  await c.ask('create, recursively watched', Op.create2, create('/a/r'));
  await c.ask('delete, persistently watched', Op.delete, [buf('/p'), int(-1)]);
  await c.ask('checkWatches', Op.checkWatches, [buf('/p'), int(3)]);
  await c.ask('checkWatches, none', Op.checkWatches, [buf('/none'), int(3)]);
  await c.ask('removeWatches', Op.removeWatches, [buf('/p'), int(3)]);
  await c.ask('removeWatches, none', Op.removeWatches, [buf('/none'), int(3)]);
  await c.ask(
    'setWatches',
    Op.setWatches,
    [long(1), list(['/a', '/gone']), list(['/later', '/never']), list(['/null'])],
    -8,
  );
  await c.ask(
    'setWatches2',
    Op.setWatches2,
    [long(1), list([]), list([]), list(['/a']), list(['/p']), list(['/a'])],
    -8,
  );
  await c.ask('sasl, not configured', Op.sasl, [buf('')]);
  return { c, session };
}

/** All conversations of one release, by name. */
async function record(version) {
  const server = await RealServer.start({ version });
  try {
    const { c, session } = await operations(server);
    const resumed = await Conversation.begin(server);
    await resumed.greet('resumed session', session);
    await resumed.ask('getEphemerals, resumed', Op.getEphemerals, [buf(null)]);
    await resumed.ask('closeSession', Op.closeSession);
    await resumed.end();
    c.close();
    const expired = await Conversation.begin(server);
    await expired.greet('expired session', session);
    await expired.end();
    const old = await Conversation.begin(server);
    await old.greet('new session without read-only byte', { readOnly: false });
    await old.ask('auth, unknown scheme', Op.auth, [int(0), buf('nonsense'), buf('x')], -4);
    await old.end();
    const unknown = await Conversation.begin(server);
    await unknown.greet('new session, again');
    await unknown.ask('unknown opcode', Op.unknown);
    await unknown.end();
    return { operations: c, resumed, expired, old, unknown };
  } finally {
    await server.stop();
  }
}

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['3.8.6', '3.9.5'];
for (const version of versions) {
  const conversations = Object.entries(await record(version)).map(([name, { frames }]) => {
    const lines = frames.map((frame) => `    ${JSON.stringify(frame)}`);
    return `  ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n  ]`;
  });
  const file = new URL(`../packages/protocol/test/golden/apache-${version}.json`, import.meta.url);
  await writeFile(file, `{\n${conversations.join(',\n')}\n}\n`);
  console.log(`${file.pathname}: ${conversations.length} conversations`);
}
