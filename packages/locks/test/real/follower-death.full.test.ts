import { jest } from '@jest/globals';
import { AT_ANY_DISTANCE, describeFollowerDeaths, type FollowerDeath, TOGETHER } from './follower-death.ts';

jest.setTimeout(120_000);

/** Killed at once, a quarter and half a tick after the answers, in sessions of two ticks. */
const deaths = (tick: number): FollowerDeath[] =>
  [0, tick / 4, tick / 2].flatMap((delay) => [
    { title: `pinged together, ${delay} ms before`, timeouts: [2 * tick], gap: TOGETHER, delay },
    { title: `pinged at any distance, ${delay} ms before`, timeouts: [2 * tick], gap: AT_ANY_DISTANCE, delay },
  ]);

describeFollowerDeaths(500, [
  ...deaths(500),
  // The ping before is so long ago that all the leader knows of is older than any margin.
  { title: 'after a blocked event loop', timeouts: [10_000], gap: TOGETHER, delay: 0, blocked: 3_000 },
  // Its last answers are to questions that it has heard long after they were asked.
  { title: 'after it had been stopped', timeouts: [10_000], gap: TOGETHER, delay: 0, stopped: 2_000 },
  // The same, and another leads by then.
  {
    title: 'the leader, after it had been stopped',
    timeouts: [10_000],
    gap: TOGETHER,
    delay: 0,
    stopped: 6_000,
    leader: true,
  },
]);
describeFollowerDeaths(2_000, [
  ...deaths(2_000),
  // The defaults of servers and clients, and what most people choose.
  { title: 'in longer sessions', timeouts: [10_000, 30_000], gap: AT_ANY_DISTANCE, delay: 0 },
]);
