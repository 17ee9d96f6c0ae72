import { ErrorCode, OpCode } from '@zookit/protocol';
import { readReconfigRequest } from '@zookit/protocol/internal';
import type { JuteReader } from 'jute-ts';
import { Refusal } from '../refusal.ts';
import { decodeDelete, decodeDeleteContainer, decodeSetAcl, decodeSetData } from './change-node.ts';
import { decodeCreate } from './create.ts';
import { multiRead } from './multi.ts';
import type { DecodeWrite, Read, Write } from './operation.ts';
import { exists, getAcl, getAllChildrenNumber, getChildren, getChildren2, getData } from './read-node.ts';
import { getEphemerals, sync, whoAmI } from './session.ts';
import { addWatch, checkWatches, removeWatches, setWatches, setWatches2 } from './watch.ts';

/** Requests that are one transaction of one change. */
export const writes: ReadonlyMap<number, DecodeWrite> = new Map<number, DecodeWrite>([
  [OpCode.create, decodeCreate],
  [OpCode.create2, decodeCreate],
  [OpCode.createContainer, decodeCreate],
  [OpCode.createTTL, decodeCreate],
  [OpCode.delete, decodeDelete],
  [OpCode.deleteContainer, decodeDeleteContainer],
  [OpCode.setData, decodeSetData],
  [OpCode.setACL, decodeSetAcl],
  [OpCode.reconfig, decodeReconfig],
]);

/** Requests that leave the tree as it is. */
export const reads: ReadonlyMap<number, Read> = new Map<number, Read>([
  [OpCode.exists, exists],
  [OpCode.getData, getData],
  [OpCode.getACL, getAcl],
  [OpCode.getChildren, getChildren],
  [OpCode.getChildren2, getChildren2],
  [OpCode.getAllChildrenNumber, getAllChildrenNumber],
  [OpCode.multiRead, multiRead],
  [OpCode.sync, sync],
  [OpCode.getEphemerals, getEphemerals],
  [OpCode.whoAmI, whoAmI],
  [OpCode.addWatch, addWatch],
  [OpCode.setWatches, setWatches],
  [OpCode.setWatches2, setWatches2],
  [OpCode.checkWatches, checkWatches],
  [OpCode.removeWatches, removeWatches],
]);

/** reconfig: joining, leaving and new members, configuration id. Switched off, as by default since 3.5.3. */
function decodeReconfig(r: JuteReader): Write {
  readReconfigRequest(r);
  return {
    path: null,
    prepare: () => {
      throw new Refusal(ErrorCode.RECONFIG_DISABLED);
    },
    reply: () => null,
    resultType: OpCode.reconfig,
    result: () => null,
  };
}
