import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WaitOptions, withDeadline } from './deadline.ts';
import { RealServerStartError } from './errors.ts';
import { findJava } from './find-java.ts';
import { fourLetterWord } from './four-letter-word.ts';
import { freePorts } from './free-ports.ts';
import { Member, PortClash, type RealServerMember } from './member.ts';
import { fetchRelease, isAtLeast } from './release.ts';
import { type RealServerTls, type Seat, type ServerConfig, writeServerFiles } from './server-files.ts';
import { WatchedFolder } from './watchdog.ts';

const START_MS = 30_000;
const POLL_MS = 50;
const PORTS_A_MEMBER = 4;
/** How often `start` asks for other ports because one was snatched before the server had it. */
const PORT_ATTEMPTS = 3;

export interface RealServerOptions extends WaitOptions {
  /** An Apache release; default '3.9.5'. Known to work: `REAL_SERVER_VERSIONS`. */
  version?: string;
  /** Voting members; default 1: a standalone server. */
  members?: number;
  /** Members that don't vote, after the voting ones; default 0. */
  observers?: number;
  /** Milliseconds; default 500. Session timeouts are 2 to 20 of it. */
  tickTime?: number;
  /** A second port a member that speaks TLS, which is then the one in the connect strings; 3.5 and newer. */
  tls?: RealServerTls;
  /** More lines for zoo.cfg; they win over the defaults. */
  config?: ServerConfig;
  /** The same for one member, by its index; wins over `config`. */
  memberConfig?: (index: number) => ServerConfig;
  /**
   * Where a member finds the quorum port of another, both by their index; `port` is where that one listens when it leads, so a
   * proxy's port breaks this one link to a leader. The list of members is fixed then: each has its own view of it, and
   * reconfiguration is off. Asked again, with other ports, should one of them be taken at the start.
   */
  peerPort?: (member: number, peer: number, port: number) => number | Promise<number>;
  /** Arguments to java, before the class. */
  jvmArgs?: readonly string[];
  /** More environment for the servers. */
  env?: Readonly<Record<string, string>>;
}

/**
 * Apache ZooKeeper, one server or an ensemble, as child processes on 127.0.0.1, for tests. Wants Java, and Maven for the
 * first start of a release; not for Windows.
 *
 * Ports, data and configuration are in a temporary folder and stay over `kill` and `start`. Servers and folder go with
 * `stop`, or when this process ends, by SIGKILL too.
 */
export class RealServer {
  readonly version: string;
  /** The voting members, then the observers. */
  readonly members: readonly RealServerMember[];
  readonly #members: readonly Member[];
  readonly #folder: WatchedFolder;
  #stopping: Promise<void> | undefined;

  private constructor(version: string, members: readonly Member[], folder: WatchedFolder) {
    this.version = version;
    this.members = members;
    this.#members = members;
    this.#folder = folder;
  }

  /**
   * Resolves when every member serves. `timeout` (default 30,000 ms) counts from the launch: fetching a release that is not
   * in the cache yet is not in it.
   *
   * @throws RealServerUnavailableError when Java, Maven or the release is not to be had
   * @throws RealServerStartError when a server does not come up
   */
  static async start(options: RealServerOptions = {}): Promise<RealServer> {
    const { version = '3.9.5', members = 1, observers = 0, tls, signal, timeout } = options;
    if (!(members >= 1 && observers >= 0)) throw new RangeError(`${members} members and ${observers} observers`);
    if (tls && !isAtLeast(version, 3, 5)) throw new RangeError(`ZooKeeper ${version} has no TLS`);
    signal?.throwIfAborted();
    const java = await findJava();
    const { classpath } = await fetchRelease(version);
    for (let attempt = 1; ; attempt += 1) {
      const server = await RealServer.#lay(options, version, members + observers, java, classpath);
      try {
        await server.#bringUp(server.#members, { signal, timeout }, 'at once');
        return server;
      } catch (error) {
        await server.stop();
        if (!(error instanceof PortClash)) throw error;
        if (attempt === PORT_ATTEMPTS) throw error.cause;
      }
    }
  }

  /** For a client: every member, 'host:port,host:port'. */
  get connectString(): string {
    return this.members.map((member) => member.connectString).join(',');
  }

  /** The same without TLS. */
  get plainConnectString(): string {
    return this.members.map(({ host, plainPort }) => `${host}:${plainPort}`).join(',');
  }

  /** Starts one member again, or all that don't run: same ports, same data. Resolves when it serves. */
  async start(index?: number, options: WaitOptions = {}): Promise<void> {
    if (this.#stopping) throw new Error('The servers have been stopped for good');
    const members = this.#some(index);
    if (index !== undefined && members[0]!.isRunning) throw new Error(`Server ${index} runs already`);
    await this.#bringUp(
      members.filter((member) => !member.isRunning),
      options,
      'wait',
    );
  }

  /** SIGKILL, to one member or all. Resolves when the process is gone; the data stay. */
  async kill(index?: number): Promise<void> {
    await Promise.all(this.#some(index).map((member) => member.kill()));
  }

  /** SIGTERM to one member, whose data stay. Without an index: ends everything, temporary folder included. */
  async stop(index?: number): Promise<void> {
    if (index !== undefined) {
      await Promise.all(this.#some(index).map((member) => member.terminate()));
      return;
    }
    this.#stopping ??= this.#shutDown();
    await this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** SIGSTOP, to one member or all: connections stay open and new ones are accepted, but nothing is answered. */
  async pause(index?: number): Promise<void> {
    await Promise.all(this.#some(index).map((member) => member.pause()));
  }

  /** SIGCONT, to one member or all. */
  async resume(index?: number): Promise<void> {
    for (const member of this.#some(index)) member.resume();
  }

  /** Index of the leader, of the only server where there is one. Waits, 30 s by default, until exactly one says it leads. */
  leader({ signal, timeout = START_MS }: WaitOptions = {}): Promise<number> {
    const late = async (): Promise<Error> => new RealServerStartError(`No leader within ${timeout} ms`);
    return withDeadline({ signal, timeout }, late, async (controller) => {
      for (;;) {
        const modes = await Promise.all(this.#members.map((member) => member.mode({ signal: controller.signal })));
        const leading = modes.flatMap((mode, index) => (mode === 'leader' || mode === 'standalone' ? [index] : []));
        if (leading.length === 1) return leading[0]!;
        await sleep(POLL_MS, undefined, { signal: controller.signal });
      }
    });
  }

  /** 'standalone', 'leader', 'follower', 'observer', 'read-only'; null while the member doesn't serve or doesn't answer. */
  mode(index: number, options: WaitOptions = {}): Promise<string | null> {
    return this.#some(index)[0]!.mode(options);
  }

  /** Asks a member a 4-letter command ('srvr', 'mntr', 'cons', 'wchp', …); rejects without an answer in time, default 5 s. */
  async fourLetterWord(index: number, word: string, options: WaitOptions = {}): Promise<string> {
    return fourLetterWord(this.#some(index)[0]!.plainPort, word, options);
  }

  #some(index: number | undefined): readonly Member[] {
    if (index === undefined) return this.#members;
    const member = this.#members[index];
    if (!member) throw new RangeError(`There is no member ${index}`);
    return [member];
  }

  async #bringUp(
    members: readonly Member[],
    { signal, timeout = START_MS }: WaitOptions,
    onClash: 'at once' | 'wait',
  ): Promise<void> {
    const late = async (): Promise<Error> => {
      const modes = await Promise.all(members.map(async (member) => ({ member, mode: await member.mode() })));
      const silent = modes.find(({ mode }) => mode === null)?.member;
      return new RealServerStartError(
        `ZooKeeper ${this.version} does not serve within ${timeout} ms. ${silent ? await silent.tail() : ''}`,
      );
    };
    await withDeadline({ signal, timeout }, late, async (controller) => {
      // All have to settle: whoever cleans up after a failure must not miss a process that comes a moment later.
      const results = await Promise.allSettled(members.map((member) => launch(member, controller, onClash)));
      if (results.some(({ status }) => status === 'rejected')) throw controller.signal.reason;
    });
  }

  async #shutDown(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.terminate()));
    await this.#folder.remove();
  }

  /** Ports, folder and files of servers that don't run yet. */
  static async #lay(
    { members = 1, tickTime = 500, tls, config, memberConfig, peerPort, jvmArgs = [], env = {} }: RealServerOptions,
    version: string,
    count: number,
    java: string,
    classpath: string,
  ): Promise<RealServer> {
    const name = `zookit-real-${process.pid}-${randomBytes(6).toString('hex')}`;
    const folder = await WatchedFolder.create(join(tmpdir(), name));
    try {
      const ports = await freePorts(count * PORTS_A_MEMBER);
      const seats = Array.from({ length: count }, (_, index): Seat => {
        const [plain = 0, secure = 0, quorum = 0, election = 0] = ports.slice(index * PORTS_A_MEMBER);
        const role = index < members ? 'participant' : 'observer';
        return { id: index + 1, role, ports: { plain, secure, quorum, election } };
      });
      const all = seats.map(async (seat, index) => {
        const home = join(folder.path, `server-${seat.id}`);
        const lines = { ...config, ...memberConfig?.(index) };
        const view = await seenBy(index, seats, peerPort);
        const isStatic = peerPort !== undefined;
        await writeServerFiles(home, { version, seat, seats: view, isStatic, tickTime, tls, config: lines });
        return new Member({ seat, folder: home, java, jvmArgs, env, classpath, isSecure: tls !== undefined });
      });
      return new RealServer(version, await Promise.all(all), folder);
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }
}

function seenBy(index: number, seats: readonly Seat[], peerPort: RealServerOptions['peerPort']): Promise<Seat[]> {
  const all = seats.map(async (seat, peer): Promise<Seat> => {
    if (!peerPort || peer === index) return seat;
    return { ...seat, ports: { ...seat.ports, quorum: await peerPort(index, peer, seat.ports.quorum) } };
  });
  return Promise.all(all);
}

async function launch(member: Member, controller: AbortController, onClash: 'at once' | 'wait'): Promise<void> {
  for (;;) {
    try {
      await member.launch();
      await member.serving(controller.signal);
      return;
    } catch (error) {
      if (controller.signal.aborted || onClash === 'at once' || !(error instanceof PortClash)) {
        controller.abort(error);
        throw error;
      }
      // Its ports are its own for life: whoever has one now is to let go of it.
      await member.kill();
      await sleep(200);
    }
  }
}
