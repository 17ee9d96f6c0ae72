import { expect } from '@jest/globals';
import type { CaseGroup } from '../case.ts';

export const watchOrder: CaseGroup = {
  name: 'order of events',
  cases: [
    {
      name: 'an event comes before the continuation of any reply that shows its change',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const path = ctx.at('node');
        await zk.create(path, '0');
        for (let i = 1; i <= 50; i += 1) {
          const heard: string[] = [];
          await zk.get(path, { watch: () => heard.push('event') });
          const set = other.set(path, String(i));
          // Reads without a pause: one of them is the first to show the change.
          for (let done = false; !done; ) {
            const { data } = await zk.get(path);
            done = data?.toString() === String(i);
            if (done) heard.push('read');
          }
          await set;
          expect(heard).toEqual(['event', 'read']);
        }
      },
    },
    {
      name: 'also when everything was asked for at once: read, event, write, read',
      run: async (ctx) => {
        const zk = await ctx.connect();
        const path = ctx.at('node');
        await zk.create(path, '0');
        for (let i = 1; i <= 50; i += 1) {
          const heard: string[] = [];
          await Promise.all([
            zk.get(path, { watch: () => heard.push('event') }).then(() => heard.push('read before')),
            zk.set(path, String(i)).then(() => heard.push('set')),
            zk.get(path).then(() => heard.push('read after')),
          ]);
          expect(heard).toEqual(['read before', 'event', 'set', 'read after']);
        }
      },
    },
    {
      name: 'an event comes after the continuation of the read that set its watch, also when both arrive together',
      run: async (ctx) => {
        const proxy = await ctx.proxy();
        const [zk, other] = [await ctx.through(proxy), await ctx.connect()];
        const path = ctx.at('node');
        await zk.create(path, 'before');
        const heard: string[] = [];
        const held = proxy.once({ opcode: 'getData', direction: 'reply', action: 'hold' });
        const reading = (async () => {
          const { data } = await zk.get(path, { watch: () => heard.push('event') });
          // A chain of continuations, as code that is made of async functions has it.
          for (let i = 0; i < 10; i += 1) await null;
          heard.push(`read ${data}`);
        })();
        const { release } = await held;
        await other.set(path, 'after');
        release();
        await reading;
        await zk.sync();
        expect(heard).toEqual(['read before', 'event']);
      },
    },
    {
      name: 'events come in the order of their changes',
      run: async (ctx) => {
        const [zk, other] = [await ctx.connect(), await ctx.connect()];
        const paths = Array.from({ length: 100 }, (_, i) => ctx.at(`n${i}`));
        const heard: string[] = [];
        await Promise.all(paths.map((path) => zk.exists(path, { watch: (event) => heard.push(event.path) })));
        const shuffled = paths.map((_, i) => paths[(i * 37) % paths.length]!);
        await Promise.all(shuffled.map((path) => other.create(path)));
        await zk.sync();
        expect(heard).toEqual(shuffled);
      },
    },
  ],
};
