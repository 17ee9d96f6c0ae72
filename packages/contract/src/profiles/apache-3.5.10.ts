import type { Profile } from '../profile.ts';

export const apache3510: Profile = {
  name: 'Apache ZooKeeper 3.5.10',
  lacks: {
    'event-zxid': 'since 3.9.0 (ZOOKEEPER-4655)',
    'events-need-read': 'since 3.8.4 and 3.9.2 (CVE-2024-23944)',
    'create2-in-multi': 'since 3.7.2, 3.8.2 and 3.9.0 (ZOOKEEPER-4026)',
    'persistent-watches': 'since 3.6.0; plain ones are made of one-shot watches',
    'who-am-i': 'since 3.7.0',
    'multi-read': 'since 3.6.0',
    'list-ephemerals': 'since 3.6.0',
    'count-descendants': 'since 3.6.0',
  },
  differs: {
    'which error comes first: delete without permission of a missing znode: NO_AUTH':
      'up to 3.5 the znode is looked for before the parent’s ACL: NO_NODE',
  },
};
