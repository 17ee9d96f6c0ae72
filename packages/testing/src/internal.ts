export { findJava } from './real-server/find-java.ts';
export { findProgram } from './real-server/find-program.ts';
export { cacheFolder, exists, fetchJars, type JarsOptions } from './real-server/jars.ts';
export { standsStill } from './real-server/stopped-process.ts';
