import { jest } from '@jest/globals';
import { AT_ANY_DISTANCE, describeFollowerDeaths } from './follower-death.ts';

jest.setTimeout(60_000);

// The longest session that these servers grant, too: the longer it is, the further apart are the pings.
describeFollowerDeaths(500, [
  { title: 'after pings at any distance', timeouts: [1_000, 10_000], gap: AT_ANY_DISTANCE, delay: 0 },
]);
describeFollowerDeaths(2_000, [
  { title: 'after pings at any distance', timeouts: [4_000], gap: AT_ANY_DISTANCE, delay: 0 },
]);
