import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** @type {import('jest').Config} */
const shared = {
  testEnvironment: here('./leak-check.js'),
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

const minutes = 60_000;

/** The limit is for a file, and kills: a test that waits too long is Jest's to fail, one that spins is nobody's. */
const project = (displayName, suffix, fileLimitMs) => ({
  ...shared,
  displayName,
  testMatch: [`<rootDir>/test/**/*${suffix}`],
  testEnvironmentOptions: {
    customExportConditions: ['@zookit/source', 'node', 'node-addons'],
    fileLimitMs,
  },
});

/** @type {import('jest').Config} */
export default {
  reporters: ['default', here('./count-reporter.js')],
  // One turn of the loop after each test and hook, in which a rejection that nobody handled is heard of and fails it.
  waitForUnhandledRejections: true,
  // For a test that waits in vain. Whoever shares the machine must not be able to fail one that would get there.
  testTimeout: 30_000,
  projects: [
    { ...project('unit', '.test.ts', 3 * minutes), testPathIgnorePatterns: ['\\.(?:real|full)\\.test\\.ts$'] },
    // Against real servers, a few minutes in all.
    project('real', '.real.test.ts', 10 * minutes),
    // The long ones: every version, chaos, fuzz, other languages' clients.
    project('full', '.full.test.ts', 30 * minutes),
  ],
};
