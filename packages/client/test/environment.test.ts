import { describe, expect, it } from '@jest/globals';
import { TestServer } from '@zookit/testing';
import { environmentOf } from '../src/environment.ts';
import { ZooKeeper } from '../src/index.ts';

describe('an environment that is replaced in parts', () => {
  it('keeps the rest of Node, and calls methods on what they belong to', () => {
    class Stopped {
      readonly #time = 42;
      now(): number {
        return this.#time;
      }
    }
    const { clock, firstXid, random } = environmentOf({ clock: new Stopped(), firstXid: 7 });
    expect(clock.now()).toBe(42);
    expect(Math.abs(clock.wallNow() - Date.now())).toBeLessThan(1_000);
    expect(firstXid).toBe(7);
    expect(random()).toBeLessThan(1);
  });

  it('may look names up as Node does, with objects', async () => {
    const server = await TestServer.start();
    const port = server.members[0]?.port;
    const lookup = async (host: string) => (host === 'zk' ? [{ address: '127.0.0.1', family: 4 }] : []);
    const zk = await ZooKeeper.connect(`nobody:${port},zk:${port}`, { shuffle: false, environment: { lookup } });
    expect(zk.server).toMatchObject({ host: 'zk', address: '127.0.0.1' });
    await zk.close();
    await server.stop();
  });
});
