import type { Profile } from '../profile.ts';

export const apache364: Profile = {
  name: 'Apache ZooKeeper 3.6.4',
  lacks: {
    'event-zxid': 'since 3.9.0 (ZOOKEEPER-4655)',
    'events-need-read': 'since 3.8.4 and 3.9.2 (CVE-2024-23944)',
    'create2-in-multi': 'since 3.7.2, 3.8.2 and 3.9.0 (ZOOKEEPER-4026)',
    'who-am-i': 'since 3.7.0',
  },
  differs: {},
};
