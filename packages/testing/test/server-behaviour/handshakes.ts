import { describe, expect, it } from '@jest/globals';
import { buf, createBody, int, long, Op, watchBody } from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

export function handshakes(target: GetTarget): void {
  describe('handshake', () => {
    const clients = useClients(target);

    it('answers a new session with 37 bytes, an id and a password', async () => {
      const client = await clients.dial();
      const session = await client.handshake({ timeout: 5000 });
      expect(session).toMatchObject({ bytes: 37, timeout: 5000, readOnly: false });
      expect(session?.id).not.toBe(0n);
      expect(session?.password).toHaveLength(16);
      expect(session?.password.equals(Buffer.alloc(16))).toBe(false);
    });

    it('answers a client that knows no read-only servers with 36 bytes', async () => {
      const client = await clients.dial();
      expect(await client.handshake({ readOnly: null })).toMatchObject({ bytes: 36, readOnly: null });
    });

    it('takes an empty and a null password for a new session', async () => {
      for (const password of [Buffer.alloc(0), null]) {
        const client = await clients.dial();
        expect((await client.handshake({ password }))?.timeout).toBe(5000);
      }
    });

    it.each([
      [0, 2],
      [-5, 2],
      [1, 2],
      [2 ** 31 - 1, 20],
    ])('negotiates a timeout of %d ms to %d ticks', async (timeout, ticks) => {
      const client = await clients.dial();
      expect((await client.handshake({ timeout }))?.timeout).toBe(ticks * target().tickTime);
    });

    it('resumes a session with its password, and closes the connection that had it', async () => {
      const first = await clients.open();
      const second = await clients.dial();
      const session = await second.handshake({ id: first.id, password: first.password });
      expect(session).toMatchObject({ id: first.id, timeout: 5000 });
      expect(session?.password).toEqual(first.password);
      await first.ended();
      expect(await second.err(Op.exists, watchBody('/'))).toBe(0);
    });

    it('answers an unknown session with zeros and closes', async () => {
      const client = await clients.dial();
      const session = await client.handshake({ id: 0x7777n, password: Buffer.alloc(16, 7) });
      expect(session).toEqual({ bytes: 37, timeout: 0, id: 0n, password: Buffer.alloc(16), readOnly: false });
      expect(await client.frame()).toBeNull();
    });

    it('refuses a wrong password, closes the connection of the owner and leaves the session alone', async () => {
      const owner = await clients.open();
      const other = await clients.dial();
      const refused = await other.handshake({ id: owner.id, password: Buffer.alloc(16, 1) });
      expect(refused).toMatchObject({ timeout: 0, id: 0n });
      expect(await other.frame()).toBeNull();
      await owner.ended();
      const again = await clients.open({ id: owner.id, password: owner.password });
      expect(again.id).toBe(owner.id);
    });

    it('closes without a byte when the client has seen more than the server', async () => {
      const client = await clients.dial();
      expect(await client.handshake({ lastZxid: 2n ** 62n })).toBeNull();
    });

    it('closes without a byte on a handshake that is too short', async () => {
      const client = await clients.dial();
      client.sendFrame(Buffer.concat([int(0), long(0n), int(5000), long(0n)]));
      expect(await client.frame()).toBeNull();
    });

    it('answers requests that came right behind the handshake', async () => {
      const client = await clients.dial();
      const handshake = Buffer.concat([int(0), long(0n), int(5000), long(0n), buf(Buffer.alloc(16)), Buffer.from([0])]);
      const request = Buffer.concat([int(1), int(Op.exists), watchBody('/')]);
      client.sendRaw(Buffer.concat([int(handshake.length), handshake, int(request.length), request]));
      expect((await client.frame())?.length).toBe(37);
      expect(await client.reply()).toMatchObject({ xid: 1, err: 0 });
    });
  });

  describe('frames', () => {
    const clients = useClients(target);

    it('takes a frame of 1,048,575 bytes and closes on one more', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const fits = (over: number): Buffer => {
        const rest = 8 + 4 + Buffer.byteLength(path) + 4 + 4;
        return Buffer.concat([buf(path), buf(Buffer.alloc(0xfffff - rest + over)), int(-1)]);
      };
      expect(await client.err(Op.setData, fits(0))).toBe(0);
      client.send(Op.setData, fits(1));
      expect(await client.frame()).toBeNull();
    });

    it.each([
      ['a negative length', int(-7)],
      ['a frame of nothing', int(0)],
    ])('closes on %s', async (_what, bytes) => {
      const client = await clients.open();
      client.sendRaw(bytes);
      expect(await client.frame()).toBeNull();
    });

    it('reads requests that arrive byte by byte, and several in one piece', async () => {
      const client = await clients.open();
      const path = await clients.freshPath(client);
      const frame = (xid: number, name: string): Buffer => {
        const body = Buffer.concat([int(xid), int(Op.create), createBody(`${path}/${name}`)]);
        return Buffer.concat([int(body.length), body]);
      };
      for (const byte of frame(101, 'a')) client.sendRaw(Buffer.from([byte]));
      client.sendRaw(Buffer.concat([frame(102, 'b'), frame(103, 'c')]));
      for (const xid of [101, 102, 103]) expect(await client.reply()).toMatchObject({ xid, err: 0 });
    });

    it('ignores what stands behind a record', async () => {
      const client = await clients.open();
      expect(await client.err(Op.exists, Buffer.concat([watchBody('/'), Buffer.alloc(9, 1)]))).toBe(0);
    });

    it('echoes any xid, but a ping has its own', async () => {
      const client = await clients.open();
      for (const xid of [-5, 2 ** 31 - 1, 77]) {
        client.send(Op.exists, watchBody('/'), xid);
        expect((await client.reply())?.xid).toBe(xid);
      }
      client.send(Op.ping, Buffer.alloc(0), 1234);
      expect(await client.reply()).toMatchObject({ xid: -2, err: 0 });
    });
  });

  describe('four-letter words', () => {
    const clients = useClients(target);

    it.each([
      ['ruok', /^imok$/],
      ['isro', /^rw$/],
      ['srvr', /^Zookeeper version: \d[^\n]*\nLatency[\s\S]*\nMode: (standalone|leader|follower)\nNode count: \d+\n/],
      ['stat', /^Zookeeper version: [\s\S]*\nClients:\n \/[\s\S]*\nMode: /],
      ['wchs', /^\d+ connections watching \d+ paths\nTotal watches:\d+\n/],
      ['mntr', /^zk_version\t\d[\s\S]*\nzk_server_state\t/],
    ])('answers %s and closes', async (word, answer) => {
      const client = await clients.dial();
      client.sendRaw(word);
      expect(await client.text()).toMatch(answer);
    });
  });
}
