import type { Profile } from '../profile.ts';

/** The yardstick: it has everything, and every case was first seen to hold here. */
export const apache395: Profile = {
  name: 'Apache ZooKeeper 3.9.5',
  lacks: {},
  differs: {},
};
