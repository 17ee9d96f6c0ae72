import type { Profile } from '../profile.ts';

/** Behaves as Apache ZooKeeper 3.9 does. */
export const testServer: Profile = {
  name: 'TestServer',
  lacks: {},
  differs: {},
};
