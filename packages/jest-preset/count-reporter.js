// Writes how many tests passed and failed to the folder that ZOOKIT_TEST_COUNTS names, for the sum that scripts/test
// prints. A run that executed no test fails, and so does one whose process stays alive when all is done.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

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
    this.#write({ passed, failed, skipped: results.numPendingTests + results.numTodoTests });
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

/** The timer alone doesn't keep the process alive: it fires only where something else does. */
function endIfHeld() {
  setTimeout(() => {
    console.error(`The process was still alive ${graceMs / 1_000} s after its last test: something is left open.`);
    process.exit(1);
  }, graceMs).unref();
}
