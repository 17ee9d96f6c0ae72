export { afterMicrotasks } from './after-microtasks.ts';
export { FrameDecoder } from './framing.ts';
export { InFlight } from './in-flight.ts';
export { type MultiOperation, type MultiResult, readMulti, writeMulti } from './multi.ts';
export * from './records.ts';
export { ignore, reasonOf } from './transport.ts';
