import { OpCode, type Stat } from '@zookit/protocol';
import {
  readExistsResponse,
  readGetChildren2Response,
  readGetDataResponse,
  writeExistsRequest,
  writeGetChildren2Request,
  writeGetDataRequest,
} from '@zookit/protocol/internal';
import { keepable } from '../data.ts';
import type { Operation } from './operation.ts';

export interface ReadArgs {
  path: string;
  watch: boolean;
}

// getData: path ustring, watch bool -> data buffer, stat Stat
export const getData: Operation<ReadArgs, { data: Buffer | null; stat: Stat }> = {
  name: 'get',
  opcode: OpCode.getData,
  repeatable: true,
  watches: 'data',
  write: writeGetDataRequest,
  read: (reader) => {
    const { data, stat } = readGetDataResponse(reader);
    return { data: keepable(data), stat };
  },
};

/** At its own path, whatever the view. */
export const getConfig: typeof getData = { ...getData, name: 'getConfig' };

// exists: path ustring, watch bool -> stat Stat; NO_NODE when it is missing, and the watch is set all the same
export const exists: Operation<ReadArgs, Stat | null> = {
  name: 'exists',
  opcode: OpCode.exists,
  repeatable: true,
  watches: 'data',
  absentIsNull: true,
  write: writeExistsRequest,
  read: (reader) => readExistsResponse(reader).stat,
};

// getChildren2: path ustring, watch bool -> children vector<ustring>, stat Stat
export const getChildren: Operation<ReadArgs, { children: string[]; stat: Stat }> = {
  name: 'children',
  opcode: OpCode.getChildren2,
  repeatable: true,
  watches: 'child',
  write: writeGetChildren2Request,
  read: (reader) => {
    const { children, stat } = readGetChildren2Response(reader);
    return { children: (children ?? []) as string[], stat };
  },
};
