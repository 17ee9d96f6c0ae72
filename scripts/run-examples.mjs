#!/usr/bin/env node
// Runs every example of the documentation against an in-process server: each must end by itself, with status 0.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestServer } from '../packages/testing/dist/index.js';

const folder = fileURLToPath(new URL('../docs/examples/', import.meta.url));

function run(file, connectString) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`${folder}${file}`, connectString], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: 30_000,
    });
    child.once('error', reject);
    child.once('close', (status) => resolve(status));
  });
}

const server = await TestServer.start();
let failed = 0;
try {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.mjs'))) {
    console.log(`--- ${file}`);
    const status = await run(file, server.connectString);
    if (status !== 0) console.error(`${file}: ${status === null ? 'did not end by itself' : `status ${status}`}`);
    failed += status === 0 ? 0 : 1;
  }
} finally {
  await server.stop();
}
process.exitCode = failed === 0 ? 0 : 1;
