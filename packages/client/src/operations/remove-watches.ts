import { OpCode, WatcherType } from '@zookit/protocol';
import { writeRemoveWatchesRequest } from '@zookit/protocol/internal';
import type { Operation } from './operation.ts';

// removeWatches: path ustring, type int (1 children, 2 data, 3 any) -> nothing; NO_WATCHER when it has none
export const removeWatches: Operation<{ path: string; kind: 'data' | 'child' }, void> = {
  name: 'removeWatches',
  opcode: OpCode.removeWatches,
  repeatable: false,
  // Another watch may have been set on the path meanwhile.
  mayWait: false,
  write: (writer, { path, kind }) =>
    writeRemoveWatchesRequest(writer, { path, type: kind === 'child' ? WatcherType.children : WatcherType.data }),
  read: () => {},
};
