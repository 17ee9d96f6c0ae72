import { describe, expect, it } from '@jest/globals';
import { createBody, multiBody, Op, setBody, ttlBody, versionBody, watchBody } from '../raw-client.ts';
import { type GetTarget, useClients } from './target.ts';

/** For servers that look for containers and TTL nodes to delete every 500 ms. */
export function reaping(target: GetTarget): void {
  const clients = useClients(target);

  describe('containers and TTL nodes', () => {
    it('go when they were emptied; not before they had a child, and not as plain nodes', async () => {
      const client = await clients.open({ timeout: 20 * target().tickTime });
      const path = await clients.freshPath(client);
      await client.call(Op.createContainer, createBody(`${path}/used`, { flags: 4 }));
      await client.call(Op.createContainer, createBody(`${path}/any-flags`, { flags: 0 }));
      await client.call(Op.createContainer, createBody(`${path}/new`, { flags: 4 }));
      await client.call(Op.create, createBody(`${path}/flag-4-alone`, { flags: 4 }));
      await client.call(Op.multi, multiBody([[Op.create, createBody(`${path}/flag-4-in-multi`, { flags: 4 })]]));
      await client.call(Op.createTtl, ttlBody(`${path}/ttl`, 1500n));
      await client.call(Op.createTtl, ttlBody(`${path}/ttl-with-child`, 1500n));
      await client.call(Op.create, createBody(`${path}/ttl-with-child/a`));
      await client.call(Op.createTtl, ttlBody(`${path}/ttl-long`, 60_000n));
      const emptied = ['used', 'any-flags', 'flag-4-alone', 'flag-4-in-multi'];
      for (const name of emptied) await client.call(Op.create, createBody(`${path}/${name}/a`));
      const gone = ['used', 'any-flags', 'flag-4-in-multi', 'ttl'];
      for (const name of gone) await client.call(Op.exists, watchBody(`${path}/${name}`, true));
      for (const name of emptied) await client.call(Op.delete, versionBody(`${path}/${name}/a`));
      const deleted = new Set<string | null>();
      while (deleted.size < gone.length) {
        const event = await client.event();
        expect(event.type).toBe(2);
        deleted.add(event.path);
      }
      expect([...deleted].sort()).toEqual(gone.map((name) => `${path}/${name}`).sort());
      const { body } = await client.call(Op.getChildren, watchBody(path));
      expect(body.strings().sort()).toEqual(['flag-4-alone', 'new', 'ttl-long', 'ttl-with-child']);
    });

    it('a change of its data gives a TTL node its time again', async () => {
      const client = await clients.open({ timeout: 20 * target().tickTime });
      const path = await clients.freshPath(client);
      await client.call(Op.createTtl, ttlBody(`${path}/t`, 1500n));
      const from = performance.now();
      while (performance.now() - from < 3000) {
        expect(await client.err(Op.setData, setBody(`${path}/t`, 'x'))).toBe(0);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await client.call(Op.exists, watchBody(`${path}/t`, true));
      expect(await client.event()).toMatchObject({ type: 2, path: `${path}/t` });
    });
  });
}
