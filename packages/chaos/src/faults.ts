import type { Arena } from './arena.ts';
import type { Corner } from './corner.ts';
import type { Random } from './random.ts';

/** Strikes, and mends what it broke before it resolves. `target` is nobody else's meanwhile. */
export type Fault = (arena: Arena, target: Corner, random: Random) => Promise<void>;

export type FaultName = 'cut' | 'blackhole' | 'stop' | 'kill' | 'server';

export const faults: Readonly<Record<FaultName, Fault>> = {
  /** Its connections are reset; sometimes it can't come back before its session is over. */
  cut: async (arena, target, random) => {
    const stay = random.chance(0.7);
    await target.cut(stay);
    if (stay) await arena.pause(random.between(20, 1.5 * arena.sessionTimeout));
    await target.heal();
  },
  /** Its packets vanish; sometimes until its session is over. */
  blackhole: async (arena, target, random) => {
    await target.blackhole(random.chance(0.5));
    await arena.pause(random.between(100, 1.5 * arena.sessionTimeout));
    await target.heal();
  },
  /** It stands still until another has been granted what it holds, or for so long that it would be if it held. */
  stop: async (arena, { contender }, random) => {
    await contender.pause();
    const pause = arena.sessionTimeout + 2 * arena.tickTime;
    if (contender.holds) await arena.nextGrant();
    else await arena.pause(pause);
    await arena.pause(random.between(0, 300));
    contender.resume();
  },
  /** It dies, and another takes its place. */
  kill: async (arena, target, random) => {
    await target.contender.kill();
    await arena.pause(random.between(0, arena.sessionTimeout));
    target.send();
    await target.contender.ready;
  },
  /** A server dies, the leader in half of the cases, and comes back. */
  server: async (arena, _target, random) => {
    const { server } = arena;
    const index = random.chance(0.5) ? await server.leader() : random.pick([...server.members.keys()]);
    await server.kill(index);
    await arena.pause(random.between(0, 1.5 * arena.sessionTimeout));
    await server.start(index);
  },
};
