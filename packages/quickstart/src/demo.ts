import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DemoOptions, NAMES } from './arguments.ts';
import { later, milliseconds, nanoseconds, now, seconds } from './clock.ts';
import { Course } from './course.ts';
import { judge, type Kill } from './judge.ts';
import { type LiveEvent, LiveLines } from './live-lines.ts';
import type { ServiceMessage } from './messages.ts';
import { writeReport } from './report.ts';
import { ServiceProcess } from './service-process.ts';
import type { Terminal } from './terminal.ts';
import type { ChosenServer } from './which-server.ts';

const LOCK_PATH = '/zookit-quickstart/lock';
/** Short, that the lock of a killed service moves on soon; the server may make it longer. */
const SESSION_TIMEOUT_MS = 3_000;
const LOOK_MS = 40;
/** How long a message may be under way before the lines behind it are written. */
const ORDER_MS = 80;
/** How long the one to be killed holds the lock before. */
const HOLD_BEFORE_KILL_MS = 300;

/** One run: starts the services, kills a holder, ends them, judges what they have written down. */
export class Demo {
  readonly #options: DemoOptions;
  readonly #terminal: Terminal;
  readonly #server: ChosenServer;
  readonly #course: Course;
  readonly #failures: string[] = [];
  readonly #ready = new Map<ServiceProcess, number>();
  readonly #failed = new Set<ServiceProcess>();
  #services: ServiceProcess[] = [];
  #live: LiveLines | null = null;
  #start = 0n;
  #kill: Kill | null = null;
  #planned: { token: bigint; timer: NodeJS.Timeout } | null = null;
  #stopping = false;
  #halted = false;
  #interrupted = false;

  constructor(options: DemoOptions, server: ChosenServer, terminal: Terminal) {
    this.#options = options;
    this.#server = server;
    this.#terminal = terminal;
    this.#course = new Course(options);
  }

  /** Ends the run before its time, at somebody's wish. */
  interrupt(): void {
    this.#interrupted = true;
    this.#halt('interrupted');
  }

  /** Whether all went well. */
  async run(): Promise<boolean> {
    this.#announce();
    const folder = await mkdtemp(join(tmpdir(), 'zookit-quickstart-'));
    try {
      this.#services = NAMES.slice(0, this.#options.services).map((name) => this.#launch(name, folder));
      await this.#until(() => this.#ready.size === this.#services.length);
      if (!this.#halted) await this.#perform();
      await this.#end();
      return this.#report();
    } finally {
      const isEvidence = this.#failures.length > 0 && this.#live !== null && !this.#interrupted;
      if (!isEvidence) await rm(folder, { recursive: true });
      else process.stderr.write(`The records of the services are in ${folder}\n`);
    }
  }

  #launch(name: string, folder: string): ServiceProcess {
    const terms = {
      connectString: this.#server.connectString,
      sessionTimeout: SESSION_TIMEOUT_MS,
      lockPath: LOCK_PATH,
      work: this.#options.work,
      recordFile: join(folder, `${name}.jsonl`),
    };
    return new ServiceProcess(name, terms, {
      onMessage: (service, message) => this.#onMessage(service, message),
      onExit: (service) => this.#onExit(service),
    });
  }

  async #perform(): Promise<void> {
    this.#start = now();
    const services = this.#services.map(({ name }) => name);
    const { write, paint } = this.#terminal;
    this.#live = new LiveLines({ services, start: this.#start, sessionTimeout: this.#sessionTimeout, write, paint });
    this.#introduce();
    for (const service of this.#services) service.order({ order: 'start' });
    await this.#until(() => this.#course.isOver(this.#seconds(now())));
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!this.#halted && !isDone()) {
      await sleep(LOOK_MS);
      this.#live?.flush(now() - nanoseconds(ORDER_MS));
    }
  }

  /** Everybody lets go and closes; who doesn't in time is a failure. */
  async #end(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#planned?.timer);
    for (const service of this.#services) service.order({ order: 'stop' });
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#sessionTimeout + 10_000);
    const late = new Promise((resolve) => limit.signal.addEventListener('abort', resolve, { once: true }));
    await Promise.race([late, Promise.all(this.#services.map(({ gone }) => gone))]);
    clearTimeout(timer);
    for (const service of this.#services.filter(({ exit }) => exit === null)) {
      this.#failures.push(`${service.name} did not stop`);
      service.kill();
      await service.gone;
    }
    this.#live?.flush(now());
    this.#live?.close();
  }

  #report(): boolean {
    if (this.#live === null) {
      this.#terminal.write(this.#failures.map((failure) => `FAILED: ${failure}\n`).join(''));
      return false;
    }
    const records = this.#services.map((service) => service.records());
    const holds = records.flatMap((each) => each.holds);
    const verdict = judge({ holds, kill: this.#kill, grants: this.#course.leastGrants });
    this.#failures.push(...verdict.failures);
    const span = { from: this.#start, to: this.#services.reduce((last, { exit }) => later(last, exit?.at ?? 0n), 0n) };
    const [kill, sessionTimeout, failures] = [this.#kill, this.#sessionTimeout, this.#failures];
    writeReport(this.#terminal, { records, verdict, kill, span, sessionTimeout, failures });
    return failures.length === 0;
  }

  #onMessage(service: ServiceProcess, message: ServiceMessage): void {
    if (message.what === 'ready') this.#ready.set(service, message.sessionTimeout);
    else if (message.what === 'failed') this.#onFailure(service, message.reason);
    else if (message.what === 'keeping') this.#planKill(service, message.token);
    else this.#onEvent(service, { ...message, service: service.name });
  }

  #onEvent(service: ServiceProcess, event: LiveEvent): void {
    this.#live?.add(event);
    if (event.what === 'granted') {
      this.#course.granted(service.name, this.#seconds(event.at));
      const isTime = this.#planned === null && this.#course.wantsKill(this.#seconds(event.at));
      // Asked to stay: else it might have let go before the signal reaches it.
      if (isTime && !this.#stopping) service.order({ order: 'keep', token: event.token });
    }
    if (event.what === 'ended' && event.token === this.#planned?.token) {
      clearTimeout(this.#planned.timer);
      this.#planned = null;
    }
  }

  #planKill(service: ServiceProcess, token: bigint): void {
    if (this.#kill !== null || this.#planned !== null || this.#stopping) return;
    const timer = setTimeout(() => {
      const at = now();
      service.kill();
      this.#kill = { service: service.name, at };
      this.#course.killed(this.#seconds(at));
      this.#live?.add({ what: 'killed', service: service.name, at, token });
    }, HOLD_BEFORE_KILL_MS);
    this.#planned = { token, timer };
  }

  #onExit(service: ServiceProcess): void {
    const { name, exit } = service;
    this.#live?.add({ what: 'dead', service: name, at: exit?.at ?? now() });
    if (this.#kill?.service === name || (this.#stopping && exit?.code === 0)) return;
    this.#onFailure(service, `ended with ${exit?.signal ?? `code ${exit?.code}`}`);
  }

  #halt(reason: string): void {
    this.#failures.push(reason);
    this.#halted = true;
  }

  #onFailure(service: ServiceProcess, reason: string): void {
    // Its exit follows its own word. And where the first one doesn't get a connection, the others don't either.
    if (this.#failed.has(service) || (this.#live === null && this.#halted)) return;
    this.#failed.add(service);
    this.#halt(`${service.name}: ${reason}`);
  }

  #announce(): void {
    const { write, paint } = this.#terminal;
    write(`${paint('bold', `${this.#options.services} services, one lock`)}
  Each waits for the lock, works under it for a moment and lets go. One is killed with -9
  while it holds the lock: the lock passes on when the session of the dead one ends.

  server    ${this.#server.description}
  lock      ${LOCK_PATH}
`);
  }

  #introduce(): void {
    const services = this.#services.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
    this.#terminal.write(`  services  ${services}
  session   ends ${seconds(this.#sessionTimeout)} after the last sign of life, as negotiated

`);
  }

  /** As negotiated; every service asks the same servers. */
  get #sessionTimeout(): number {
    return Math.max(0, ...this.#ready.values());
  }

  #seconds(at: bigint): number {
    return milliseconds(at - this.#start) / 1_000;
  }
}
