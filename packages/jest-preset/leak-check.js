// The environment every test file runs in: Jest's own for Node, and after the file's last hook a look at what it left
// behind. Outside the sandbox, because inside it `process` is a copy whose listeners hear nothing, and because an
// `afterAll` of a setup file runs before those of the test file.
import diagnostics from 'node:diagnostics_channel';
import { TestEnvironment } from 'jest-environment-node';
import { limitFile } from './time-limit.js';

// What holds the event loop open; kinds that come and go by themselves (file reads, look-ups) aren't here.
const watched = new Set([
  'FSEventWrap',
  'Immediate',
  'MessagePort',
  'PipeWrap',
  'ProcessWrap',
  'StatWatcher',
  'TCPServerWrap',
  'TCPSocketWrap',
  'TLSWrap',
  'Timeout',
  'UDPWrap',
]);

// What was closed goes on later turns of the loop: a bounded number of turns for what this process alone decides, some time
// for what needs the other end or another process.
const patience = 500;
const patienceMs = 2_000;

// Jest's own timers and those of modules that load once and live on are not the test file's.
const notOurs = /node:internal|[\\/]node_modules[\\/](?:@?jest|expect|@swc)/;

function holders() {
  return process.getActiveResourcesInfo().filter((kind) => watched.has(kind));
}

function surplus(now, before) {
  const left = [...before];
  return now.filter((kind) => {
    const at = left.indexOf(kind);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** A timer that the file made itself. One that nobody saw being made may be the reporter's, which writes in its own time. */
function isTimer(what) {
  return /^(?:Immediate|setTimeout|setInterval)\b/.test(what);
}

function describeSocket(socket) {
  return `socket ${socket.localAddress ?? '?'}:${socket.localPort ?? '?'} -> ${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;
}

/** The first line of a stack that belongs to the project. */
function site(stack) {
  const lines = stack.split('\n').slice(1);
  return (lines.find((line) => !notOurs.test(line) && !line.includes('leak-check.js')) ?? lines[0] ?? '').trim();
}

export default class LeakCheck extends TestEnvironment {
  #file;
  #limit;
  #before = [];
  #timers = new Map();
  #pruneAt = 1_000;
  #sockets = new Set();
  #warnings = [];

  #onWarning = (warning) => {
    if (warning.name === 'MaxListenersExceededWarning') this.#warnings.push(warning.message);
  };

  #onSocket = ({ socket }) => {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };

  constructor(config, context) {
    super(config, context);
    this.#file = context.testPath;
    this.#limit = config.projectConfig.testEnvironmentOptions.fileLimitMs;
  }

  async setup() {
    limitFile(this.#file, this.#limit);
    await super.setup();
    this.#before = holders();
    process.on('warning', this.#onWarning);
    diagnostics.subscribe('net.client.socket', this.#onSocket);
    diagnostics.subscribe('net.server.socket', this.#onSocket);
    for (const name of ['setTimeout', 'setInterval']) this.#track(name);
  }

  async teardown() {
    process.off('warning', this.#onWarning);
    diagnostics.unsubscribe('net.client.socket', this.#onSocket);
    diagnostics.unsubscribe('net.server.socket', this.#onSocket);
    this.#timers.clear();
    this.#sockets.clear();
    await super.teardown();
    limitFile(null);
  }

  async handleTestEvent(event, state) {
    if (event.name !== 'run_finish') return;
    const until = performance.now() + patienceMs;
    let left = this.#left();
    for (let turn = 0; left.length > 0; turn += 1) {
      if (turn >= patience && (left.some(isTimer) || performance.now() >= until)) break;
      await new Promise((resolve) => setImmediate(resolve));
      left = this.#left();
    }
    left.push(...this.#warnings.map((message) => `warning: ${message}`));
    if (left.length === 0) return;
    const error = new Error(`the test file left behind:\n  ${left.join('\n  ')}`);
    error.stack = `Error: ${error.message}`;
    state.unhandledErrors.push(error);
  }

  /** Unref'd timers don't hold the loop open, so they are followed from where they are made. */
  #track(name) {
    const make = this.global[name];
    const tracked = (...args) => {
      const timer = make(...args);
      this.#timers.set(timer, new Error(name));
      if (this.#timers.size > this.#pruneAt) {
        this.#prune();
        this.#pruneAt = Math.max(1_000, this.#timers.size * 2);
      }
      return timer;
    };
    Object.defineProperties(tracked, Object.getOwnPropertyDescriptors(make));
    this.global[name] = tracked;
  }

  #prune() {
    // Node has no public word for "fired or cleared".
    for (const timer of this.#timers.keys()) if (timer._destroyed) this.#timers.delete(timer);
  }

  #left() {
    this.#prune();
    return [
      ...surplus(holders(), this.#before),
      ...[...this.#timers.values()].map((made) => `${made.message} ${site(made.stack)}`),
      ...[...this.#sockets].filter((socket) => !socket.destroyed).map(describeSocket),
    ];
  }
}
