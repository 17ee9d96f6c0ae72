import { describe, expect, it } from '@jest/globals';
import {
  createBody,
  int,
  multiBody,
  Op,
  open,
  pathBody,
  type RawClient,
  setBody,
  setWatchesBody,
  str,
  versionBody,
  watchBody,
} from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

/** For a member that is cut off from its quorum and serves readers; the session lives on the quorum. */
export function readOnly(target: GetTarget, session: () => { id: bigint; password: Buffer }): void {
  const clients = useClients(target);

  describe('a read-only member', () => {
    it('closes without a byte on a client that wants to write', async () => {
      for (const readOnly of [false, null]) {
        const client = await clients.dial();
        expect(await client.handshake({ readOnly })).toBeNull();
      }
    });

    it('admits a reader, and says what it is', async () => {
      const client = await clients.dial();
      const session = await client.handshake({ readOnly: true });
      expect(session).toMatchObject({ bytes: 37, readOnly: true, timeout: 5000 });
      expect(session?.id).not.toBe(0n);
      const again = await clients.dial();
      const resumed = await again.handshake({ readOnly: true, id: client.id, password: client.password });
      expect(resumed).toMatchObject({ id: client.id, readOnly: true });
    });

    it('answers an unknown session with zeros, and one of the quorum with nothing', async () => {
      const unknown = await clients.dial();
      const refused = await unknown.handshake({ readOnly: true, id: 0x4242n, password: Buffer.alloc(16) });
      expect(refused).toMatchObject({ timeout: 0, id: 0n, readOnly: true });
      expect(await unknown.frame()).toBeNull();
      const known = await clients.dial();
      expect(await known.handshake({ readOnly: true, ...session() })).toBeNull();
    });

    it('reads and watches, and refuses the rest', async () => {
      const client: RawClient = await clients.open({ readOnly: true });
      for (const [op, body, err] of [
        [Op.getData, watchBody('/', true), 0],
        [Op.exists, watchBody('/none', true), -101],
        [Op.getChildren2, watchBody('/'), 0],
        [Op.multiRead, multiBody([[Op.getData, watchBody('/')]]), 0],
        [Op.addWatch, Buffer.concat([str('/'), int(1)]), 0],
        [Op.setWatches, setWatchesBody(0n, [], [], []), 0],
        [Op.whoAmI, Buffer.alloc(0), 0],
        [Op.getEphemerals, str('/'), 0],
        [Op.create, createBody('/a'), -119],
        [Op.create2, createBody('/a', { flags: 1 }), -119],
        [Op.setData, setBody('/', 'x'), -119],
        [Op.delete, versionBody('/a'), -119],
        [Op.setAcl, Buffer.concat([str('/'), int(0), int(-1)]), -119],
        [Op.multi, multiBody([[Op.create, createBody('/a', { acl: open })]]), -119],
        [Op.sync, pathBody('/'), -119],
      ] as const) {
        expect([op, await client.err(op, body)]).toEqual([op, err]);
      }
      client.send(Op.ping, Buffer.alloc(0), -2);
      expect(await client.reply()).toMatchObject({ xid: -2, err: 0 });
    });

    it('says so to the four-letter words', async () => {
      const isro = await clients.dial();
      isro.sendRaw('isro');
      expect(await isro.text()).toBe('ro');
      const srvr = await clients.dial();
      srvr.sendRaw('srvr');
      expect(await srvr.text()).toMatch(/Mode: read-only/);
    });
  });
}
