import { OpCode } from './opcodes.ts';
import type * as records from './records.ts';

/** The name of a record of zookeeper.jute. */
export type RecordName = keyof typeof records extends infer K ? (K extends `read${infer N}` ? N : never) : never;

/** What a request and its answer carry behind their headers; null: nothing. */
export interface Bodies {
  request: RecordName | null;
  reply: RecordName | null;
}

/** The bodies of each opcode, but for multi and multiRead, which are lists: see multi.ts. */
export const bodies: Readonly<Record<number, Bodies>> = {
  [OpCode.create]: { request: 'CreateRequest', reply: 'CreateResponse' },
  [OpCode.delete]: { request: 'DeleteRequest', reply: null },
  [OpCode.exists]: { request: 'ExistsRequest', reply: 'ExistsResponse' },
  [OpCode.getData]: { request: 'GetDataRequest', reply: 'GetDataResponse' },
  [OpCode.setData]: { request: 'SetDataRequest', reply: 'SetDataResponse' },
  [OpCode.getACL]: { request: 'GetACLRequest', reply: 'GetACLResponse' },
  [OpCode.setACL]: { request: 'SetACLRequest', reply: 'SetACLResponse' },
  [OpCode.getChildren]: { request: 'GetChildrenRequest', reply: 'GetChildrenResponse' },
  [OpCode.sync]: { request: 'SyncRequest', reply: 'SyncResponse' },
  [OpCode.ping]: { request: null, reply: null },
  [OpCode.getChildren2]: { request: 'GetChildren2Request', reply: 'GetChildren2Response' },
  [OpCode.check]: { request: 'CheckVersionRequest', reply: null },
  [OpCode.create2]: { request: 'CreateRequest', reply: 'Create2Response' },
  [OpCode.reconfig]: { request: 'ReconfigRequest', reply: 'GetDataResponse' },
  [OpCode.checkWatches]: { request: 'CheckWatchesRequest', reply: null },
  [OpCode.removeWatches]: { request: 'RemoveWatchesRequest', reply: null },
  [OpCode.createContainer]: { request: 'CreateRequest', reply: 'Create2Response' },
  [OpCode.createTTL]: { request: 'CreateTTLRequest', reply: 'Create2Response' },
  [OpCode.auth]: { request: 'AuthPacket', reply: null },
  [OpCode.setWatches]: { request: 'SetWatches', reply: null },
  [OpCode.sasl]: { request: 'GetSASLRequest', reply: 'SetSASLResponse' },
  [OpCode.getEphemerals]: { request: 'GetEphemeralsRequest', reply: 'GetEphemeralsResponse' },
  [OpCode.getAllChildrenNumber]: { request: 'GetAllChildrenNumberRequest', reply: 'GetAllChildrenNumberResponse' },
  [OpCode.setWatches2]: { request: 'SetWatches2', reply: null },
  // ClickHouse Keeper 26.1 and 26.2 leave the answer's body out.
  [OpCode.addWatch]: { request: 'AddWatchRequest', reply: 'ErrorResponse' },
  [OpCode.whoAmI]: { request: null, reply: 'WhoAmIResponse' },
  [OpCode.closeSession]: { request: null, reply: null },
};
