import type { Profile } from '../profile.ts';

export const apache372: Profile = {
  name: 'Apache ZooKeeper 3.7.2',
  lacks: {
    'event-zxid': 'since 3.9.0 (ZOOKEEPER-4655)',
    'events-need-read': 'since 3.8.4 and 3.9.2 (CVE-2024-23944)',
  },
  differs: {},
};
