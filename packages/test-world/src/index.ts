export { outcome, sleep, until } from './until.ts';
export { startServer, World } from './world.ts';
