import { describe, expect, it } from '@jest/globals';
import {
  bool,
  type Cursor,
  createBody,
  int,
  multiBody,
  Op,
  pathBody,
  type RawClient,
  setBody,
  ttlBody,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

const errorType = -1;

/** Reads the results, each by the type in its header, up to the header that says done. */
function results(body: Cursor): unknown[] {
  const list: unknown[] = [];
  for (;;) {
    const [type, done, err] = [body.int(), body.bool(), body.int()];
    if (done) {
      expect([type, err, body.left]).toEqual([-1, -1, 0]);
      return list;
    }
    list.push(result(body, type, err));
  }
}

function result(body: Cursor, type: number, err: number): unknown {
  switch (type) {
    case errorType:
      expect(body.int()).toBe(err);
      return { err };
    case Op.create:
      return { type, path: body.str() };
    case Op.create2:
      return { type, path: body.str(), stat: body.stat() };
    case Op.setData:
      return { type, stat: body.stat() };
    case Op.getData:
      return { type, data: body.buf()?.toString() ?? null, stat: body.stat() };
    case Op.getChildren:
      return { type, children: body.strings() };
    case Op.delete:
    case Op.check:
      return { type };
    default:
      throw new Error(`a result of type ${type}`);
  }
}

export function multis(target: GetTarget): void {
  const clients = useClients(target);
  const scene = async (): Promise<{ path: string; client: RawClient }> => {
    const client = await clients.open();
    return { client, path: await clients.freshPath(client) };
  };

  describe('multi', () => {
    it('applies all, with one zxid and one result each', async () => {
      const { client, path } = await scene();
      const { err, body, zxid } = await client.call(
        Op.multi,
        multiBody([
          [Op.check, versionBody(path, 0)],
          [Op.create, createBody(`${path}/a`, { data: 'one' })],
          [Op.create2, createBody(`${path}/b`)],
          [Op.createContainer, createBody(`${path}/c`, { flags: 4 })],
          [Op.createTtl, ttlBody(`${path}/t`, 90_000n)],
          [Op.setData, setBody(`${path}/a`, 'two', 0)],
          [Op.delete, versionBody(`${path}/b`, 0)],
          [Op.check, versionBody(`${path}/a`, 1)],
        ]),
      );
      expect(err).toBe(0);
      const stat = expect.objectContaining({ czxid: zxid, mzxid: zxid });
      expect(results(body)).toEqual([
        { type: Op.check },
        { type: Op.create, path: `${path}/a` },
        { type: Op.create2, path: `${path}/b`, stat },
        { type: Op.create2, path: `${path}/c`, stat },
        { type: Op.create2, path: `${path}/t`, stat },
        { type: Op.setData, stat: expect.objectContaining({ version: 1, mzxid: zxid, dataLength: 3 }) },
        { type: Op.delete },
        { type: Op.check },
      ]);
    });

    it('applies nothing when one is refused: noughts before it, -2 behind it', async () => {
      const { client, path } = await scene();
      const { err, body } = await client.call(
        Op.multi,
        multiBody([
          [Op.create, createBody(`${path}/a`)],
          [Op.setData, setBody(path, 'x')],
          [Op.check, versionBody(path, 5)],
          [Op.delete, versionBody(`${path}/none`)],
          [Op.create, createBody(`${path}/b`)],
        ]),
      );
      expect(err).toBe(0);
      expect(results(body)).toEqual([0, 0, -103, -2, -2].map((code) => ({ err: code })));
      expect(await client.err(Op.exists, watchBody(`${path}/a`))).toBe(-101);
      const read = await client.call(Op.getData, watchBody(path));
      expect(read.body.buf()?.length).toBe(0);
      expect(read.body.stat()).toMatchObject({ version: 0, cversion: 0 });
    });

    it('sees what its earlier operations did', async () => {
      const { client, path } = await scene();
      const { body } = await client.call(
        Op.multi,
        multiBody([
          [Op.create, createBody(`${path}/a`)],
          [Op.create, createBody(`${path}/a/b`)],
          [Op.create, createBody(`${path}/a/n-`, { flags: 2 })],
          [Op.create, createBody(`${path}/a/n-`, { flags: 3 })],
          [Op.delete, versionBody(`${path}/a/b`)],
          [Op.setData, setBody(`${path}/a`, 'x', 0)],
          [Op.setData, setBody(`${path}/a`, 'y', 1)],
        ]),
      );
      expect(results(body)).toMatchObject([
        { path: `${path}/a` },
        { path: `${path}/a/b` },
        { path: `${path}/a/n-0000000001` },
        { path: `${path}/a/n-0000000002` },
        { type: Op.delete },
        { stat: { version: 1 } },
        { stat: { version: 2 } },
      ]);
    });

    it.each([
      ['the same node twice', (p: string) => [Op.create, createBody(p)] as const, -110],
      ['a bad path', (p: string) => [Op.create, createBody(`${p}/..`)] as const, -8],
      ['bad flags of a createTTL', (p: string) => [Op.createTtl, ttlBody(`${p}/x`, 1n, 9)] as const, -8],
      ['a child of an ephemeral', (p: string) => [Op.create, createBody(`${p}/e/x`)] as const, -108],
      ['no parent', (p: string) => [Op.create, createBody(`${p}/n/x`)] as const, -101],
      ['a node with children', (p: string) => [Op.delete, versionBody(p)] as const, -111],
      ['an ACL of nobody', (p: string) => [Op.create, createBody(`${p}/x`, { acl: [] })] as const, -114],
    ])('reports %s in its result', async (_what, operation, code) => {
      const { client, path } = await scene();
      const list = [[Op.create, createBody(`${path}/e`, { flags: 1 })] as const, operation(path)];
      const { err, body } = await client.call(Op.multi, multiBody(list));
      expect(err).toBe(0);
      expect(results(body)).toEqual([{ err: 0 }, { err: code }]);
    });

    it('takes no operations at all', async () => {
      const { client } = await scene();
      const { err, body } = await client.call(Op.multi, multiBody([]));
      expect(err).toBe(0);
      expect(results(body)).toEqual([]);
    });

    it.each([
      ['a read', (p: string) => multiBody([[Op.getData, watchBody(p)]])],
      [
        'a read beside a write',
        (p: string) =>
          multiBody([
            [Op.delete, versionBody(p)],
            [Op.getData, watchBody(p)],
          ]),
      ],
      ['an unknown operation', (p: string) => multiBody([[99, versionBody(p)]])],
      ['setACL', (p: string) => multiBody([[Op.setAcl, versionBody(p)]])],
      ['deleteContainer', (p: string) => multiBody([[Op.deleteContainer, pathBody(p)]])],
      ['flags without a meaning', (p: string) => multiBody([[Op.create, createBody(`${p}/a`, { flags: 7 })]])],
      ['flags that want a ttl', (p: string) => multiBody([[Op.create, createBody(`${p}/a`, { flags: 5 })]])],
      ['a null path', () => multiBody([[Op.delete, versionBody(null)]])],
      ['no end', (p: string) => Buffer.concat([int(Op.delete), bool(false), int(-1), versionBody(p)])],
    ])('cannot read %s, and stays', async (_what, body) => {
      const { client, path } = await scene();
      const reply = await client.call(Op.multi, body(path));
      expect([reply.err, reply.body.left]).toEqual([-5, 0]);
      expect(await client.err(Op.exists, watchBody(path))).toBe(0);
    });

    it('makes a container of flag 4, whatever the operation', async () => {
      const { client, path } = await scene();
      const { body } = await client.call(Op.multi, multiBody([[Op.create, createBody(`${path}/a`, { flags: 4 })]]));
      expect(results(body)).toMatchObject([{ type: Op.create2, path: `${path}/a` }]);
    });
  });

  describe('multiRead', () => {
    it('gives each its own result or error', async () => {
      const { client, path } = await scene();
      await client.call(Op.create, createBody(`${path}/a`, { data: 'x' }));
      const { err, body } = await client.call(
        Op.multiRead,
        multiBody([
          [Op.getData, watchBody(`${path}/a`)],
          [Op.getChildren, watchBody(path)],
          [Op.getData, watchBody(`${path}/none`)],
          [Op.getChildren, watchBody(`${path}/none`)],
        ]),
      );
      expect(err).toBe(0);
      expect(results(body)).toMatchObject([
        { type: Op.getData, data: 'x', stat: { dataLength: 1 } },
        { type: Op.getChildren, children: ['a'] },
        { err: -101 },
        { err: -101 },
      ]);
    });

    it('sets no watches', async () => {
      const { client, path } = await scene();
      await client.call(Op.multiRead, multiBody([[Op.getData, watchBody(path, true)]]));
      await client.call(Op.setData, setBody(path, 'x'));
      expect(await client.settle()).toEqual([]);
    });

    it.each([
      ['a write', (p: string) => multiBody([[Op.delete, versionBody(p)]])],
      [
        'a write beside a read',
        (p: string) =>
          multiBody([
            [Op.getData, watchBody(p)],
            [Op.delete, versionBody(p)],
          ]),
      ],
    ])('cannot read %s, and stays', async (_what, body) => {
      const { client, path } = await scene();
      expect(await client.err(Op.multiRead, body(path))).toBe(-5);
      expect(await client.err(Op.exists, watchBody(path))).toBe(0);
    });
  });
}
