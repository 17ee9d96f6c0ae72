import type { JuteReader } from 'jute-ts';
import { OpCode } from './opcodes.ts';
import {
  readAddWatchRequest,
  readAuthPacket,
  readCheckVersionRequest,
  readCheckWatchesRequest,
  readCreate2Response,
  readCreateRequest,
  readCreateResponse,
  readCreateTTLRequest,
  readDeleteRequest,
  readErrorResponse,
  readExistsRequest,
  readExistsResponse,
  readGetACLRequest,
  readGetACLResponse,
  readGetAllChildrenNumberRequest,
  readGetAllChildrenNumberResponse,
  readGetChildren2Request,
  readGetChildren2Response,
  readGetChildrenRequest,
  readGetChildrenResponse,
  readGetDataRequest,
  readGetDataResponse,
  readGetEphemeralsRequest,
  readGetEphemeralsResponse,
  readGetSASLRequest,
  readReconfigRequest,
  readRemoveWatchesRequest,
  readSetACLRequest,
  readSetACLResponse,
  readSetDataRequest,
  readSetDataResponse,
  readSetSASLResponse,
  readSetWatches,
  readSetWatches2,
  readSyncRequest,
  readSyncResponse,
  readWhoAmIResponse,
} from './records.ts';

/** Reads one record. */
export type RecordReader = (reader: JuteReader) => unknown;

/** What a request and its answer carry behind their headers; null: nothing. */
export interface Bodies {
  request: RecordReader | null;
  reply: RecordReader | null;
}

/** The bodies of each opcode, but for multi and multiRead, which are lists: see multi.ts. */
export const bodies: Readonly<Record<number, Bodies>> = {
  [OpCode.create]: { request: readCreateRequest, reply: readCreateResponse },
  [OpCode.delete]: { request: readDeleteRequest, reply: null },
  [OpCode.exists]: { request: readExistsRequest, reply: readExistsResponse },
  [OpCode.getData]: { request: readGetDataRequest, reply: readGetDataResponse },
  [OpCode.setData]: { request: readSetDataRequest, reply: readSetDataResponse },
  [OpCode.getACL]: { request: readGetACLRequest, reply: readGetACLResponse },
  [OpCode.setACL]: { request: readSetACLRequest, reply: readSetACLResponse },
  [OpCode.getChildren]: { request: readGetChildrenRequest, reply: readGetChildrenResponse },
  [OpCode.sync]: { request: readSyncRequest, reply: readSyncResponse },
  [OpCode.ping]: { request: null, reply: null },
  [OpCode.getChildren2]: { request: readGetChildren2Request, reply: readGetChildren2Response },
  [OpCode.check]: { request: readCheckVersionRequest, reply: null },
  [OpCode.create2]: { request: readCreateRequest, reply: readCreate2Response },
  [OpCode.reconfig]: { request: readReconfigRequest, reply: readGetDataResponse },
  [OpCode.checkWatches]: { request: readCheckWatchesRequest, reply: null },
  [OpCode.removeWatches]: { request: readRemoveWatchesRequest, reply: null },
  [OpCode.createContainer]: { request: readCreateRequest, reply: readCreate2Response },
  [OpCode.createTTL]: { request: readCreateTTLRequest, reply: readCreate2Response },
  [OpCode.auth]: { request: readAuthPacket, reply: null },
  [OpCode.setWatches]: { request: readSetWatches, reply: null },
  [OpCode.sasl]: { request: readGetSASLRequest, reply: readSetSASLResponse },
  [OpCode.getEphemerals]: { request: readGetEphemeralsRequest, reply: readGetEphemeralsResponse },
  [OpCode.getAllChildrenNumber]: { request: readGetAllChildrenNumberRequest, reply: readGetAllChildrenNumberResponse },
  [OpCode.setWatches2]: { request: readSetWatches2, reply: null },
  // ClickHouse Keeper 26.1 and 26.2 leave the answer's body out.
  [OpCode.addWatch]: { request: readAddWatchRequest, reply: readErrorResponse },
  [OpCode.whoAmI]: { request: null, reply: readWhoAmIResponse },
  [OpCode.closeSession]: { request: null, reply: null },
};
