import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** @type {import('jest').Config} */
const shared = {
  testEnvironment: here('./leak-check.js'),
  testEnvironmentOptions: {
    customExportConditions: ['@zookit/source', 'node', 'node-addons'],
  },
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

const project = (displayName, suffix) => ({ ...shared, displayName, testMatch: [`<rootDir>/test/**/*${suffix}`] });

/** @type {import('jest').Config} */
export default {
  reporters: ['default', here('./count-reporter.js')],
  // One turn of the loop after each test and hook, in which a rejection that nobody handled is heard of and fails it.
  waitForUnhandledRejections: true,
  projects: [
    { ...project('unit', '.test.ts'), testPathIgnorePatterns: ['\\.(?:real|full)\\.test\\.ts$'] },
    // Against real servers, a few minutes in all.
    project('real', '.real.test.ts'),
    // The long ones: every version, chaos, fuzz, other languages' clients.
    project('full', '.full.test.ts'),
  ],
};
