#!/usr/bin/env node
// What a user gets: packs every public package, looks at each tarball (publint, arethetypeswrong), installs all of them
// into an empty project, and there imports and requires each, type-checks a consumer, and runs the README's lock example
// against the packed in-process server; docs/examples is type-checked with it. Names of packages as arguments: only
// these, without the examples.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compilers = { 'typescript-5': '5.9.3', 'typescript-7': '7.0.2' };
const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

/** Runs a program without standard input; what it said, and null for its status when it had to be killed. */
function run(command, args, cwd, timeout = 120_000) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout, killSignal: 'SIGKILL' });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...said }));
  });
}

let failed = 0;

/** Notes the outcome of one check; `complaints` is empty when all is well. */
function report(what, complaints) {
  if (complaints) failed += 1;
  console.log(`${complaints ? 'FAILED' : 'ok    '}  ${what}`);
  if (complaints) console.log(complaints.trim().replace(/^/gm, '        '));
}

async function mustSucceed(what, command, args, cwd) {
  const { status, stdout, stderr } = await run(command, args, cwd);
  report(what, status === 0 ? '' : `${stdout}${stderr}` || `status ${status}`);
  return status === 0;
}

function publicPackages(names) {
  const all = readdirSync(join(root, 'packages'))
    .filter((folder) => existsSync(join(root, 'packages', folder, 'package.json')))
    .map((folder) => ({ path: join(root, 'packages', folder), ...readJson(root, 'packages', folder, 'package.json') }))
    .filter((manifest) => !manifest.private);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

async function pack({ name, path }, into) {
  const { status, stdout, stderr } = await run('npm', ['pack', '--json', '--pack-destination', into], path);
  if (status !== 0) {
    report(`${name}: npm pack`, stdout + stderr);
    return null;
  }
  const packed = JSON.parse(stdout);
  const [{ filename, files }] = Array.isArray(packed) ? packed : Object.values(packed);
  const paths = files.map((file) => file.path);
  const missing = ['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts'].filter((file) => !paths.includes(file));
  report(`${name}: npm pack, ${paths.length} files`, missing.map((file) => `${file} is missing`).join('\n'));
  return join(into, filename);
}

async function lookAtTarball({ name }, tarball) {
  const { buffer } = Uint8Array.from(readFileSync(tarball));
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  report(`${name}: publint`, messages.map((message) => formatMessage(message, pkg)).join('\n'));
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const args = [attw, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'];
  await mustSucceed(`${name}: arethetypeswrong`, process.execPath, args, root);
}

async function install(tarballs, project) {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const tools = Object.entries(compilers).map(([alias, version]) => `${alias}@npm:typescript@${version}`);
  const types = `@types/node@${readJson(root, 'package.json').devDependencies['@types/node']}`;
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs, ...tools, types];
  return mustSucceed('install all tarballs into an empty project', 'npm', args, project);
}

async function importAndRequire({ name }, project) {
  const print = 'console.log(Object.keys(door).sort().join(" "))';
  const ways = {
    import: ['--input-type=module', '-e', `import * as door from '${name}'; ${print}`],
    require: ['--input-type=commonjs', '-e', `const door = require('${name}'); ${print}`],
  };
  const names = {};
  for (const [way, args] of Object.entries(ways)) {
    const { status, stdout, stderr } = await run(process.execPath, args, project, 30_000);
    const nothing = stdout.trim() === '' ? 'it exports nothing' : '';
    report(`${name}: ${way}`, status === 0 ? stderr || nothing : stderr || 'the process did not end by itself');
    names[way] = stdout;
  }
  report(`${name}: the same names both ways`, names.import === names.require ? '' : `${names.import}${names.require}`);
}

/** The first fenced block after the marker in README.md, with the test server's address in place of the one in it. */
function readmeExample(marker) {
  const path = join(root, 'README.md');
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const found = readme.match(new RegExp(`<!-- ${marker} -->\\s*\`\`\`[a-z]*\\n([\\s\\S]*?)\\n\`\`\``));
  if (!found) return { complaint: `README.md has no fenced block after <!-- ${marker} -->` };
  const address = /'[^'\n]*:2181[^'\n]*'/g;
  if (!address.test(found[1])) return { complaint: 'the example connects to no address with port 2181' };
  return { text: `${found[1].replace(address, 'process.env.CONNECT_STRING!')}\n` };
}

const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'preserve', moduleResolution: 'bundler' },
};

async function typeCheck(project, sources) {
  for (const [alias, version] of Object.entries(compilers)) {
    for (const [name, resolution] of Object.entries(resolutions)) {
      const options = { ...resolution, target: 'es2022', lib: ['es2023'], types: ['node'], strict: true };
      const checks = { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false };
      const config = { compilerOptions: { ...options, ...checks, outDir: `out-${alias}-${name}` }, files: sources };
      writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify(config));
      const { bin } = readJson(project, 'node_modules', alias, 'package.json');
      const tsc = join(project, 'node_modules', alias, bin.tsc);
      const args = [tsc, '-p', `tsconfig.${name}.json`];
      await mustSucceed(`types: TypeScript ${version}, ${name}`, process.execPath, args, project);
    }
  }
}

/** Starts the packed in-process server in a process of its own; `stop()` says what was wrong with how it ended. */
async function startServer(project) {
  const text = `import { TestServer } from '@zookit/testing';
    const server = await TestServer.start();
    console.log(server.connectString);
    process.stdin.once('end', () => server.stop()).resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    cwd: project,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve(signal ?? status)));
  const address = new Promise((resolve) => child.stdout.setEncoding('utf8').once('data', resolve));
  const connectString = await Promise.race([address, ended]);
  if (typeof connectString !== 'string' || !connectString.includes(':')) return null;
  const stop = async () => {
    const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.stdin.end();
    const how = await ended;
    clearTimeout(kill);
    if (how === 0) return '';
    return how === 'SIGKILL' ? 'the process did not end by itself after stop()' : `it ended with ${how}`;
  };
  return { connectString: connectString.trim(), stop };
}

async function runExample(project, compiled) {
  // As CommonJS: the imports become requires, and what awaits goes into a function.
  const body = compiled.replace(
    /^import (\{[^}]*\}) from (['"][^'"]+['"]);?$/gm,
    (_, names, from) => `const ${names.replaceAll(' as ', ': ')} = require(${from});`,
  );
  writeFileSync(join(project, 'by-import.mjs'), compiled);
  writeFileSync(join(project, 'by-require.cjs'), `(async () => {\n${body.replace(/^export \{\};?$/m, '')}\n})();\n`);
  for (const file of ['by-import.mjs', 'by-require.cjs']) {
    const server = await startServer(project);
    report('the packed in-process server starts', server ? '' : 'it printed no address');
    if (!server) return;
    process.env.CONNECT_STRING = server.connectString;
    const { status, stdout, stderr } = await run(process.execPath, [file], project, 30_000);
    const stuck = status === null ? `${stdout}the process did not end by itself` : '';
    report(`README's lock example, ${file.slice(0, -4)}`, stuck || stderr || (status === 0 ? '' : `status ${status}`));
    report('the packed in-process server stops', await server.stop());
  }
}

/** The runnable examples of the documentation, to be type-checked as a user's files. */
function copyExamples(project) {
  const from = join(root, 'docs/examples');
  if (!existsSync(from)) return [];
  cpSync(from, join(project, 'examples'), { recursive: true });
  return readdirSync(from, { recursive: true })
    .filter((file) => /\.m?ts$/.test(file))
    .map((file) => join('examples', file));
}

async function checkProject(packages, project, withExample) {
  for (const manifest of packages) await importAndRequire(manifest, project);
  const doors = packages
    .map(({ name }, at) => `import * as door${at} from '${name}';\nexport { door${at} };\n`)
    .join('');
  const sources = ['doors.mts', 'doors-from-commonjs.cts'];
  for (const source of sources) writeFileSync(join(project, source), doors);
  if (!withExample) return typeCheck(project, sources);
  const example = readmeExample('example: lock');
  report("README's lock example is there", example.complaint);
  if (example.text) {
    writeFileSync(join(project, 'example.mts'), example.text);
    sources.push('example.mts');
  }
  await typeCheck(project, [...sources, ...copyExamples(project)]);
  const compiled = join(project, 'out-typescript-5-nodenext/example.mjs');
  if (example.text && existsSync(compiled)) await runExample(project, readFileSync(compiled, 'utf8'));
}

const names = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'zookit-packages-'));
try {
  const packages = publicPackages(names);
  const tarballs = [];
  for (const manifest of packages) {
    const tarball = await pack(manifest, folder);
    if (!tarball) continue;
    tarballs.push(tarball);
    await lookAtTarball(manifest, tarball);
  }
  const project = join(folder, 'consumer');
  if (await install(tarballs, project)) await checkProject(packages, project, names.length === 0);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? 'packages: all well' : `packages: ${failed} of the checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
