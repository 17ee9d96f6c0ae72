import { type EventEmitter, on, once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { client, closeClients, connectedClient } from './support/clients.ts';
import { Simulation } from './support/simulation.ts';
import { outcome } from './support/until.ts';

afterEach(closeClients);

/** Node takes anything with `on`, `once` and `removeListener`; its types ask for more. */
const emitter = (source: unknown): EventEmitter => source as EventEmitter;

async function sources() {
  const net = new Simulation();
  net.serve('a', {}, { timeout: 6_000 });
  const { zk } = await connectedClient(net, 'a');
  return { zk, watch: await zk.watch('/a') };
}

describe('Node’s own helpers for events', () => {
  it('wait for an event of a client, and leave no listener behind', async () => {
    const net = new Simulation();
    net.serve('a', {}, { timeout: 6_000 });
    const { zk, connected } = client(net, 'a');
    const first = once(emitter(zk), 'connected');
    expect([zk.listenerCount('connected'), zk.listenerCount('error')]).toEqual([1, 1]);
    expect(await connected).toBeUndefined();
    expect(await first).toEqual([]);
    expect([zk.listenerCount('connected'), zk.listenerCount('error')]).toEqual([0, 0]);
  });

  it('wait for an event of a watch, and leave no listener behind', async () => {
    const { watch } = await sources();
    const end = once(emitter(watch), 'close');
    await watch.close();
    expect(await end).toEqual([]);
    expect(watch.listenerCount('close')).toBe(0);
  });

  it('give up when their signal aborts, and leave no listener behind', async () => {
    const { zk, watch } = await sources();
    const giveUp = new AbortController();
    const waits = [
      outcome(once(emitter(zk), 'lost', { signal: giveUp.signal })),
      outcome(once(emitter(watch), 'event', { signal: giveUp.signal })),
      outcome(on(emitter(zk), 'state', { signal: giveUp.signal }).next()),
      outcome(on(emitter(watch), 'event', { signal: giveUp.signal }).next()),
    ];
    expect([zk.listenerCount('lost'), watch.listenerCount('event')]).toEqual([1, 2]);
    const states = zk.listenerCount('state');
    giveUp.abort();
    for (const wait of waits) expect(await wait).toMatchObject({ name: 'AbortError' });
    expect([zk.listenerCount('lost'), zk.listenerCount('error'), watch.listenerCount('event')]).toEqual([0, 0, 0]);
    expect(zk.listenerCount('state')).toBe(states - 1);
  });

  it('find addListener and removeListener to be on and off', async () => {
    const { zk, watch } = await sources();
    const listener = (): void => {};
    expect(zk.addListener('lost', listener)).toBe(zk);
    expect(watch.addListener('close', listener)).toBe(watch);
    expect([zk.listenerCount('lost'), watch.listenerCount('close')]).toEqual([1, 1]);
    zk.removeListener('lost', listener);
    watch.removeListener('close', listener);
    expect([zk.listenerCount('lost'), watch.listenerCount('close')]).toEqual([0, 0]);
  });
});
