export { abortController, onAbort } from './abort.ts';
export type { Core } from './core.ts';
export { SafeEmitter } from './emitter.ts';
export { checkPath, nameOf, parentOf } from './paths.ts';
export { PROTECTED_PREFIX } from './protected-create.ts';
export type { Grant } from './session/grant.ts';
export { machine } from './session/machine.ts';
export { waitFor } from './wait.ts';
export { coreOf } from './zookeeper.ts';
