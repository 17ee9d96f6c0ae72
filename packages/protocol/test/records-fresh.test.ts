import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { generate, JuteError, JuteReader, JuteWriter, parse } from 'jute-ts';
import * as records from '../src/records.ts';

const source = readFileSync(new URL('../src/zookeeper.jute', import.meta.url), 'utf8');
const schema = parse(source, { file: 'zookeeper.jute' });

describe('records.ts', () => {
  it('is what the compiler makes of zookeeper.jute', () => {
    const command = 'jute-ts compile zookeeper.jute -o records.ts';
    expect(readFileSync(new URL('../src/records.ts', import.meta.url), 'utf8')).toBe(generate(schema, { command }));
  });
});

// The bytes below are put together without any of the code under test, field after field as the protocol has them.
const byte = (value: number): number[] => [value & 0xff];
const int = (value: number): number[] => [24, 16, 8, 0].flatMap((shift) => byte(value >> shift));
const long = (value: bigint): number[] =>
  [56n, 48n, 40n, 32n, 24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 0xffn));
const raw = (bytes: ArrayLike<number>): number[] => [...int(bytes.length), ...Array.from(bytes)];
const text = (value: string): number[] => raw(new TextEncoder().encode(value));
const none = int(-1);

const stat: records.Stat = {
  czxid: 0x1_0000_0001n,
  mzxid: 2n ** 63n - 1n,
  ctime: 1_700_000_000_000n,
  mtime: -(2n ** 63n),
  version: 2147483647,
  cversion: -2147483648,
  aversion: -1,
  ephemeralOwner: -0x7654_3210_fedc_ba98n,
  dataLength: 5,
  numChildren: 0,
  pzxid: 3n,
};
const statBytes = [
  ...[...long(0x1_0000_0001n), ...long(2n ** 63n - 1n), ...long(1_700_000_000_000n), ...long(-(2n ** 63n))],
  ...[...int(2147483647), ...int(-2147483648), ...int(-1), ...long(-0x7654_3210_fedc_ba98n), ...int(5), ...int(0)],
  ...long(3n),
];
const acl: records.ACL[] = [
  { perms: 31, id: { scheme: 'world', id: 'anyone' } },
  { perms: 1, id: { scheme: 'digest', id: '' } },
];
const aclBytes = [...int(2), ...int(31), ...text('world'), ...text('anyone'), ...int(1), ...text('digest'), ...int(0)];
const path = '/app/ünï/n-0000000001';
const data = Buffer.from([0, 0xff, 0x80]);

// Every record: a value of it, and its bytes. Where a field can be null or empty there is one of each.
const cases: [name: string, value: unknown, bytes: number[]][] = [
  ['Id', { scheme: 'auth', id: null }, [...text('auth'), ...none]],
  ['ACL', acl[0], [...int(31), ...text('world'), ...text('anyone')]],
  ['Stat', stat, statBytes],
  ['ClientInfo', { authScheme: 'ip', user: '127.0.0.1' }, [...text('ip'), ...text('127.0.0.1')]],
  [
    'ConnectRequest',
    { protocolVersion: 0, lastZxidSeen: 9n, timeOut: 30_000, sessionId: -2n, passwd: Buffer.alloc(16, 7) },
    [...int(0), ...long(9n), ...int(30_000), ...long(-2n), ...raw(new Uint8Array(16).fill(7))],
  ],
  [
    'ConnectResponse',
    { protocolVersion: 0, timeOut: 4000, sessionId: 0n, passwd: null },
    [...int(0), ...int(4000), ...long(0n), ...none],
  ],
  ['RequestHeader', { xid: -8, type: 101 }, [...int(-8), ...int(101)]],
  ['ReplyHeader', { xid: 1, zxid: -1n, err: -101 }, [...int(1), ...long(-1n), ...int(-101)]],
  ['MultiHeader', { type: -1, done: true, err: -1 }, [...int(-1), 1, ...int(-1)]],
  ['ErrorResponse', { err: -110 }, int(-110)],
  [
    'AuthPacket',
    { type: 0, scheme: 'digest', auth: Buffer.from('u:p') },
    [...int(0), ...text('digest'), ...text('u:p')],
  ],
  ['GetSASLRequest', { token: Buffer.alloc(0) }, int(0)],
  ['SetSASLResponse', { token: null }, none],
  ['WhoAmIResponse', { clientInfo: [{ authScheme: 'ip', user: '::1' }] }, [...int(1), ...text('ip'), ...text('::1')]],
  ['CreateRequest', { path, data, acl, flags: 3 }, [...text(path), ...raw(data), ...aclBytes, ...int(3)]],
  ['CreateRequest', { path, data: null, acl: null, flags: 0 }, [...text(path), ...none, ...none, ...int(0)]],
  [
    'CreateTTLRequest',
    { path, data: Buffer.alloc(0), acl: [], flags: 5, ttl: 2n ** 40n - 1n },
    [...text(path), ...int(0), ...int(0), ...int(5), ...long(2n ** 40n - 1n)],
  ],
  ['CreateResponse', { path }, text(path)],
  ['Create2Response', { path, stat }, [...text(path), ...statBytes]],
  ['DeleteRequest', { path, version: -1 }, [...text(path), ...int(-1)]],
  ['SetDataRequest', { path, data, version: 8 }, [...text(path), ...raw(data), ...int(8)]],
  ['SetDataResponse', { stat }, statBytes],
  ['SetACLRequest', { path, acl, version: 2 }, [...text(path), ...aclBytes, ...int(2)]],
  ['SetACLResponse', { stat }, statBytes],
  ['CheckVersionRequest', { path, version: 3 }, [...text(path), ...int(3)]],
  [
    'ReconfigRequest',
    { joiningServers: 'server.1=a:1:2;3', leavingServers: null, newMembers: '', curConfigId: -1n },
    [...text('server.1=a:1:2;3'), ...none, ...int(0), ...long(-1n)],
  ],
  ['SyncRequest', { path }, text(path)],
  ['SyncResponse', { path }, text(path)],
  ['ExistsRequest', { path, watch: true }, [...text(path), 1]],
  ['ExistsResponse', { stat }, statBytes],
  ['GetDataRequest', { path, watch: false }, [...text(path), 0]],
  ['GetDataResponse', { data, stat }, [...raw(data), ...statBytes]],
  ['GetDataResponse', { data: null, stat }, [...none, ...statBytes]],
  ['GetACLRequest', { path }, text(path)],
  ['GetACLResponse', { acl, stat }, [...aclBytes, ...statBytes]],
  ['GetChildrenRequest', { path, watch: true }, [...text(path), 1]],
  ['GetChildrenResponse', { children: ['a', 'ü'] }, [...int(2), ...text('a'), ...text('ü')]],
  ['GetChildren2Request', { path, watch: true }, [...text(path), 1]],
  ['GetChildren2Response', { children: [], stat }, [...int(0), ...statBytes]],
  ['GetAllChildrenNumberRequest', { path }, text(path)],
  ['GetAllChildrenNumberResponse', { totalNumber: 77 }, int(77)],
  ['GetEphemeralsRequest', { prefixPath: null }, none],
  ['GetEphemeralsResponse', { ephemerals: [path] }, [...int(1), ...text(path)]],
  ['WatcherEvent', { type: 4, state: 3, path }, [...int(4), ...int(3), ...text(path)]],
  [
    'SetWatches',
    { relativeZxid: 5n, dataWatches: ['/d'], existWatches: ['/e'], childWatches: ['/c'] },
    [...long(5n), ...int(1), ...text('/d'), ...int(1), ...text('/e'), ...int(1), ...text('/c')],
  ],
  [
    'SetWatches2',
    {
      relativeZxid: 5n,
      dataWatches: ['/d'],
      existWatches: [],
      childWatches: ['/c'],
      persistentWatches: ['/p'],
      persistentRecursiveWatches: ['/r', '/'],
    },
    [
      ...[...long(5n), ...int(1), ...text('/d'), ...int(0), ...int(1), ...text('/c')],
      ...[...int(1), ...text('/p'), ...int(2), ...text('/r'), ...text('/')],
    ],
  ],
  ['AddWatchRequest', { path, mode: 1 }, [...text(path), ...int(1)]],
  ['CheckWatchesRequest', { path, type: 2 }, [...text(path), ...int(2)]],
  ['RemoveWatchesRequest', { path, type: 3 }, [...text(path), ...int(3)]],
];

type Read = (r: JuteReader) => unknown;
type Write = (w: JuteWriter, v: unknown) => void;
const functions = records as unknown as Record<string, Read & Write>;

function functionOf(verb: 'read' | 'write', name: string): Read & Write {
  const found = functions[verb + name];
  if (!found) throw new Error(`no ${verb}${name}`);
  return found;
}

describe('on the wire', () => {
  it('is every record', () => {
    const names = new Set(schema.records.map((record) => record.name));
    expect(new Set(cases.map(([name]) => name))).toEqual(names);
  });

  it.each(cases)('%s is read', (name, value, bytes) => {
    const reader = new JuteReader(Buffer.from([9, 9, ...bytes, 9]), 2);
    expect(functionOf('read', name)(reader)).toEqual(value);
    expect(reader.remaining).toBe(1);
  });

  it.each(cases)('%s is written', (name, value, bytes) => {
    const writer = new JuteWriter();
    functionOf('write', name)(writer, value);
    expect(writer.take()).toEqual(Buffer.from(bytes));
  });

  it.each(cases)('%s that ends too early is refused, with record, field and offset', (name, _value, bytes) => {
    const fields = new Set(
      schema.records.flatMap((record) => record.fields.map((field) => `${record.name}.${field.name}`)),
    );
    const whole = Buffer.from(bytes);
    for (let cut = 0; cut < whole.length; cut += 1) {
      const act = (): unknown => functionOf('read', name)(new JuteReader(whole, 0, cut));
      expect(act).toThrow(JuteError);
      try {
        act();
      } catch (error) {
        const { record, field, offset, message } = error as JuteError;
        expect(fields).toContain(`${record}.${field}`);
        expect(offset).toBeLessThanOrEqual(cut);
        expect(message).toContain(`${record}.${field} at byte ${offset}: `);
      }
    }
  });
});
