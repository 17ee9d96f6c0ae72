export { afterMicrotasks } from './after-microtasks.ts';
export { FrameDecoder } from './framing.ts';
export { InFlight } from './in-flight.ts';
export * from './records.ts';
export { ignore, reasonOf } from './transport.ts';
