import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy, RealServer, type RealServerOptions } from '@zookit/testing';
import { ZooKeeper } from 'zookit';
import type { Program } from '../../src/program.ts';
import { ContenderProcess } from './contender-process.ts';

/** A real server, a client to look at it, and processes and proxies that end with the bench. */
export class Bench {
  readonly server: RealServer;
  readonly zk: ZooKeeper;
  /** Where the processes write. */
  readonly folder: string;
  readonly #processes: Promise<ContenderProcess>[] = [];
  readonly #proxies: FaultProxy[] = [];

  static async start(options: RealServerOptions = {}): Promise<Bench> {
    const server = await RealServer.start(options);
    try {
      const zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 10_000 });
      return new Bench(server, zk, await mkdtemp(join(tmpdir(), 'zookit-interop-')));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private constructor(server: RealServer, zk: ZooKeeper, folder: string) {
    this.server = server;
    this.zk = zk;
    this.folder = folder;
  }

  /** Default: the first server, a session of 10 s, which outlives the hiccups of a busy machine. */
  process(
    program: Program,
    { connectString = this.server.members[0]!.connectString, sessionTimeout = 10_000 } = {},
  ): Promise<ContenderProcess> {
    const started = ContenderProcess.start(program, { connectString, sessionTimeout, folder: this.folder });
    this.#processes.push(started);
    return started;
  }

  async proxy(): Promise<FaultProxy> {
    const proxy = await FaultProxy.start(this.server.members[0]!.connectString);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Resolves once so many stand in line. */
  async queued(path: string, contenders: number): Promise<void> {
    await until(`${contenders} stand in line`, async () => {
      return ((await this.zk.exists(path))?.numChildren ?? 0) === contenders;
    });
  }

  /** Resolves once somebody waits for that znode of the first server. */
  async watched(path: string): Promise<void> {
    await until(`${path} is watched`, async () => (await this.server.fourLetterWord(0, 'wchp')).includes(`${path}\n`));
  }

  async end(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.restore()));
    // One may still be starting, where another could not.
    const started = await Promise.allSettled(this.#processes);
    await Promise.all(started.map((each) => (each.status === 'fulfilled' ? each.value.quit() : undefined)));
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    await this.zk.close({ timeout: 1_000 });
    await this.server.stop();
    await rm(this.folder, { recursive: true });
  }
}

/** Resolves once the condition holds; throws when it doesn't within `ms`. */
export async function until(what: string, condition: () => Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
