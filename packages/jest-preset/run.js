#!/usr/bin/env -S node --experimental-vm-modules --disable-warning=ExperimentalWarning
// zookit-jest PROJECT [ARGUMENT…]: Jest in native ESM mode on one project of the preset; arguments go through.
// The project comes last on Jest's command line, because --selectProjects takes every word that follows it.
const [project, ...rest] = process.argv.slice(2);
process.argv.splice(2, Number.POSITIVE_INFINITY, ...rest, '--selectProjects', project ?? 'unit');
await import('jest/bin/jest');
