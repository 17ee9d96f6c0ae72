/**
 * What a server may lack, and still be of use. A case names the ones it needs; a profile says which are missing, and why.
 *
 * The handles are abilities of whoever runs the server, not of the server.
 */
export const FEATURES = {
  create2: 'create answers with a Stat',
  containers: 'container znodes',
  ttl: 'znodes with a time to live',
  'watch-removal': 'removeWatches',
  'persistent-watches': 'a watch that stays until it is taken back (addWatch)',
  'event-zxid': "watch events carry their transaction's zxid",
  'events-need-read': 'watch events, and exists, are withheld from whoever may not READ the znode',
  'session-resume': 'a session outlives its connection',
  'create2-in-multi': 'a create within a transaction answers with a Stat',
  'multi-read': 'several reads in one request',
  'list-ephemerals': 'getEphemerals',
  'count-descendants': 'getAllChildrenNumber',
  'who-am-i': 'whoAmI',
  'handle:watches': 'the watches of a server can be counted from outside',
  'handle:sessions': 'the sessions of a server can be listed from outside',
  'handle:restart': 'the server can be stopped and started again with its data',
} as const;

export type Feature = keyof typeof FEATURES;
