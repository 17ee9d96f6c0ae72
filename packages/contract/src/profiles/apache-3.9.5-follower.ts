import type { Profile } from '../profile.ts';

export const apache395Follower: Profile = {
  name: 'Apache ZooKeeper 3.9.5, by way of a follower',
  lacks: {},
  differs: {
    'whoAmI, ephemerals, configuration: the configuration of a standalone server is empty, wherever the view begins':
      'an ensemble has one',
    'whoAmI, ephemerals, configuration: reconfig is switched off by default: ReconfigDisabledError':
      'it is switched on in this ensemble, and asks for rights on the configuration: NoAuthError',
  },
};
