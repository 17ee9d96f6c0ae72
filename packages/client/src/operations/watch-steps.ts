import { AddWatchMode, OpCode, WatcherType } from '@zookit/protocol';
import {
  type SetWatches,
  type SetWatches2,
  writeAddWatchRequest,
  writeRemoveWatchesRequest,
  writeSetWatches,
  writeSetWatches2,
} from '@zookit/protocol/internal';
import type { JuteWriter } from 'jute-ts';
import type { Operation } from './operation.ts';

/** What whoever makes such a request hears of at once, before any other frame is looked at. */
export interface StepHooks {
  onWritten(): void;
  onDone(): void;
}

export type Step = Operation<StepHooks, void>;

// What it changes is only true on the connection that it was sent on.
function step(name: string, opcode: number, write: (writer: JuteWriter) => void): Step {
  return {
    name,
    opcode,
    repeatable: false,
    mayWait: false,
    write: (writer, hooks) => {
      write(writer);
      hooks.onWritten();
    },
    read: (_reader, hooks) => hooks.onDone(),
  };
}

// addWatch: path ustring, mode int -> err int (0), or nothing (ClickHouse Keeper 26.1 and 26.2)
export function addWatch(path: string, recursive: boolean): Step {
  const mode = recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
  return step('watch', OpCode.addWatch, (writer) => writeAddWatchRequest(writer, { path, mode }));
}

// setWatches2: both modes on one path in one go; before 3.9 the recursive one, which comes last, is what is left
export function addBoth(path: string): Step {
  return step('watch', OpCode.setWatches2, (writer) => writeSetWatches2(writer, bothWatches(path)));
}

function bothWatches(path: string): SetWatches2 {
  return {
    relativeZxid: 0n,
    dataWatches: [],
    existWatches: [],
    childWatches: [],
    persistentWatches: [path],
    persistentRecursiveWatches: [path],
  };
}

// removeWatches: path ustring, type int -> nothing; NO_WATCHER when it has none
export function dropWatches(path: string, which: keyof typeof WatcherType): Step {
  const type = WatcherType[which];
  return step('watch', OpCode.removeWatches, (writer) => writeRemoveWatchesRequest(writer, { path, type }));
}

/** The body of a setWatches or, with persistent watches, of a setWatches2. */
export function writeWatches(writer: JuteWriter, watches: SetWatches2, opcode: number): void {
  if (opcode === OpCode.setWatches2) writeSetWatches2(writer, watches);
  else writeSetWatches(writer, watches as SetWatches);
}
