import type { Profile } from '../profile.ts';

export const apache386: Profile = {
  name: 'Apache ZooKeeper 3.8.6',
  lacks: {
    'event-zxid': 'since 3.9.0 (ZOOKEEPER-4655)',
  },
  differs: {},
};
