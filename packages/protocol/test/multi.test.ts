import { describe, expect, it } from '@jest/globals';
import { JuteReader, JuteWriter } from 'jute-ts';
import {
  type MultiOperation,
  readMulti,
  writeDeleteRequest,
  writeMulti,
  writeSetDataRequest,
} from '../src/internal.ts';
import { bool, bytes, int, long } from './support/bytes.ts';

const header = (type: number, done: boolean, err: number): Buffer => Buffer.concat([int(type), bool(done), int(err)]);
const end = header(-1, true, -1);

const stat = {
  czxid: 0x1_0000_0001n,
  mzxid: 0x1_0000_0002n,
  ctime: 1_700_000_000_000n,
  mtime: 1_700_000_000_001n,
  version: 3,
  cversion: 4,
  aversion: 5,
  ephemeralOwner: -2n,
  dataLength: 6,
  numChildren: 7,
  pzxid: 8n,
};
const statBytes = Buffer.concat([
  ...[long(stat.czxid), long(stat.mzxid), long(stat.ctime), long(stat.mtime)],
  ...[int(3), int(4), int(5), long(-2n), int(6), int(7), long(8n)],
]);

function written(operations: readonly MultiOperation[]): Buffer {
  const writer = new JuteWriter();
  writeMulti(writer, operations);
  return writer.take();
}

function read(...parts: Buffer[]): ReturnType<typeof readMulti> {
  return readMulti(new JuteReader(Buffer.concat(parts)));
}

describe('writeMulti', () => {
  it('puts a header before each request, and one that says done behind the last', () => {
    const operations: MultiOperation[] = [
      { type: 5, write: (writer) => writeSetDataRequest(writer, { path: '/a', data: Buffer.from('x'), version: 2 }) },
      { type: 2, write: (writer) => writeDeleteRequest(writer, { path: '/b', version: -1 }) },
    ];
    expect(written(operations)).toEqual(
      Buffer.concat([
        ...[header(5, false, -1), bytes('/a'), bytes('x'), int(2)],
        ...[header(2, false, -1), bytes('/b'), int(-1)],
        end,
      ]),
    );
  });

  it('writes nothing but the end of an empty list', () => {
    expect(written([])).toEqual(end);
  });
});

describe('readMulti', () => {
  it('reads each result by the type in its header', () => {
    const results = read(
      ...[header(1, false, 0), bytes('/created')],
      ...[header(15, false, 0), bytes('/with-stat'), statBytes],
      ...[header(19, false, 0), bytes('/container'), statBytes],
      ...[header(21, false, 0), bytes('/ttl'), statBytes],
      ...[header(5, false, 0), statBytes],
      header(2, false, 0),
      header(13, false, 0),
      ...[header(4, false, 0), bytes('data'), statBytes],
      ...[header(8, false, 0), int(2), bytes('one'), bytes('two')],
      end,
    );
    expect(results).toEqual([
      { kind: 'create', path: '/created', stat: null },
      { kind: 'create', path: '/with-stat', stat },
      { kind: 'create', path: '/container', stat },
      { kind: 'create', path: '/ttl', stat },
      { kind: 'stat', stat },
      { kind: 'nothing' },
      { kind: 'nothing' },
      { kind: 'data', data: Buffer.from('data'), stat },
      { kind: 'children', children: ['one', 'two'] },
    ]);
  });

  it('reads a create2 that comes back as create, and what follows it', () => {
    // Before 3.7.2 and 3.8.2, whatever was asked for (ZOOKEEPER-4026).
    expect(read(header(1, false, 0), bytes('/a'), header(5, false, 0), statBytes, end)).toEqual([
      { kind: 'create', path: '/a', stat: null },
      { kind: 'stat', stat },
    ]);
  });

  it('reads a failed transaction: zeros, the code, and RUNTIME_INCONSISTENCY behind it', () => {
    expect(
      read(
        ...[header(-1, false, 0), int(0)],
        ...[header(-1, false, -110), int(-110)],
        ...[header(-1, false, -2), int(-2)],
        end,
      ),
    ).toEqual([
      { kind: 'error', errno: 0 },
      { kind: 'error', errno: -110 },
      { kind: 'error', errno: -2 },
    ]);
  });

  it('takes the code of a failed read from its header when it keeps its type and has no body', () => {
    expect(
      read(header(4, false, -101), header(8, false, -102), header(4, false, 0), bytes(''), statBytes, end),
    ).toEqual([
      { kind: 'error', errno: -101 },
      { kind: 'error', errno: -102 },
      { kind: 'data', data: Buffer.alloc(0), stat },
    ]);
  });

  it('keeps null apart from empty', () => {
    const data = [header(4, false, 0), int(-1), statBytes];
    const children = [header(8, false, 0), int(-1)];
    expect(read(...data, ...children, end)).toEqual([
      { kind: 'data', data: null, stat },
      { kind: 'children', children: [] },
    ]);
  });

  it.each([-1, 14, 0])('ends at a header that says done, of type %i', (type) => {
    expect(read(header(2, false, 0), header(type, true, -1), Buffer.from('more'))).toEqual([{ kind: 'nothing' }]);
  });

  it('refuses a result of a type that it does not know', () => {
    expect(() => read(header(77, false, 0), end)).toThrow('unknown type 77');
  });

  it.each([
    ['without an end', [header(2, false, 0)]],
    ['that ends inside a header', [int(2), bool(false)]],
    ['that ends inside a result', [header(5, false, 0), statBytes.subarray(1)]],
    ['whose error has no code', [header(-1, false, -110)]],
  ])('refuses a list %s', (_, parts) => {
    expect(() => read(...parts)).toThrow(/left/);
  });
});
