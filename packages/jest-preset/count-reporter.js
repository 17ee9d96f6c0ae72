// Writes how many tests passed and failed to the folder that ZOOKIT_TEST_COUNTS names, for the sum that scripts/test
// prints, and which and why. A run that executed no test fails, and so does one whose process stays alive when all is done.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

const graceMs = 5_000;

export default class CountReporter {
  #config;
  #executed = 0;

  constructor(globalConfig) {
    this.#config = globalConfig;
  }

  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    // A file that could not be run, or that left something behind, fails as one.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    this.#executed = passed + failed;
    const skipped = results.numPendingTests + results.numTodoTests;
    this.#write({ passed, failed, skipped, failures: failuresOf(results, this.#config.rootDir) });
    if (!this.#config.watch && !this.#config.watchAll) endIfHeld();
  }

  getLastError() {
    return this.#executed === 0 ? new Error('no test was executed') : undefined;
  }

  #write(counts) {
    const folder = process.env.ZOOKIT_TEST_COUNTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    const file = `${basename(this.#config.rootDir)}-${process.pid}.json`;
    writeFileSync(join(folder, file), `${JSON.stringify(counts)}\n`);
  }
}

/** Each failure with its first lines: the full output of a long run may be cut before anybody reads it. */
function failuresOf(results, rootDir) {
  return results.testResults.flatMap(({ testFilePath, testExecError, failureMessage, testResults }) => {
    const file = relative(rootDir, testFilePath);
    const failed = testResults.filter(({ status }) => status === 'failed');
    const ofTests = failed.map(({ fullName, failureMessages }) => ({ file, name: fullName, why: failureMessages[0] }));
    return testExecError ? [{ file, name: '', why: failureMessage }, ...ofTests] : ofTests;
  });
}

/** The timer alone doesn't keep the process alive: it fires only where something else does. */
function endIfHeld() {
  setTimeout(() => {
    console.error(`The process was still alive ${graceMs / 1_000} s after its last test: something is left open.`);
    process.exit(1);
  }, graceMs).unref();
}
