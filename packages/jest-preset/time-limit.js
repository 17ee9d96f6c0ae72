// Ends a process whose test file never ends. From a worker thread, because a test that spins blocks every timer of its own.
import { writeSync } from 'node:fs';
import { url as debuggerUrl } from 'node:inspector';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

let worker;

/** From now on this file has that long, in ms; null: none is running. */
export function limitFile(file, limitMs) {
  if (debuggerUrl()) return;
  if (!worker) {
    worker = new Worker(new URL(import.meta.url), { env: {}, execArgv: [] });
    worker.unref();
  }
  worker.postMessage({ file, limitMs });
}

function watch() {
  let timer;
  parentPort.on('message', ({ file, limitMs }) => {
    clearTimeout(timer);
    if (file === null) return;
    timer = setTimeout(() => {
      writeSync(2, `${file} has not ended after ${limitMs / 1_000} s: the run is killed.\n`);
      process.kill(process.pid, 'SIGKILL');
    }, limitMs);
  });
}

if (!isMainThread && parentPort) watch();
