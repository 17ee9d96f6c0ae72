// Sums what count-reporter.js (packages/jest-preset) wrote: sum-tests.mjs FOLDER FAILED-CHECKS FAILED-RUNS TASK…
// FOLDER/TASK holds a file for each Jest run. A package that has the task and left no file there ran no test: a failure.
// The last line is 'N passed, N failed'; a failed check outside Jest counts as one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [folder, failedChecks, failedRuns, ...tasks] = process.argv.slice(2);

const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
);
const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));
const list = (path, options) => (existsSync(path) ? readdirSync(path, options) : []);

const failures = [];
const total = { passed: 0, failed: 0 };
function note(task, name, { passed, failed, skipped }, remark = '') {
  total.passed += passed;
  total.failed += failed;
  const also = skipped ? `, ${skipped} skipped` : '';
  console.log(`${task.padEnd(10)} ${name.padEnd(14)} ${passed} passed, ${failed} failed${also}${remark}`);
}

for (const task of tasks) {
  const before = total.passed + total.failed;
  for (const name of packages) {
    const runs = list(join(folder, task)).filter((file) => file.replace(/-\d+\.json$/, '') === name);
    for (const run of runs) {
      const counts = readJson(folder, task, run);
      note(task, name, counts);
      failures.push(...counts.failures.map((failure) => ({ task, workspace: name, ...failure })));
    }
    const hasTask = task in (readJson(root, 'packages', name, 'package.json').scripts ?? {});
    if (hasTask && runs.length === 0) note(task, name, { passed: 0, failed: 1 }, ': no test was executed');
    const kind = task.split(':')[1];
    const files = list(join(root, 'packages', name, 'test'), { recursive: true });
    if (kind && !hasTask && files.some((file) => file.endsWith(`.${kind}.test.ts`))) {
      note(task, name, { passed: 0, failed: 1 }, `: has *.${kind}.test.ts and no script ${task}`);
    }
  }
  if (total.passed + total.failed === before) note(task, '', { passed: 0, failed: 1 }, ': no package has such tests');
}

// A run that failed with no failed test: it did not end by itself, or never began.
if (total.failed === 0) total.failed += Number(failedRuns);
total.failed += Number(failedChecks);

for (const { task, workspace, file, name, why } of failures) {
  console.log(`\nFAILED ${task} ${workspace}/${file}: ${name}`);
  console.log(String(why).split('\n').slice(0, 25).join('\n'));
}

process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
