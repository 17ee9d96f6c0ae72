import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FaultProxy } from '../src/fault-proxy/fault-proxy.ts';
import { RealServerStartError } from '../src/real-server/errors.ts';
import { RealServer } from '../src/real-server/real-server.ts';
import { connectRequest, frame, int, Peer, until } from './framed-peers.ts';

// The first start of a release fetches it.
jest.setTimeout(60_000);

const text = (value: string): Buffer => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);
const openAcl = Buffer.concat([int(1), int(31), text('world'), text('anyone')]);
const create = (xid: number, path: string): Buffer => frame(xid, 1, text(path), text('kept'), openAcl, 0);
const exists = (xid: number, path: string): Buffer => frame(xid, 3, text(path), Buffer.alloc(1));

/** One request on a connection of its own: the error code of its reply, null when the connection ends without one. */
async function ask(port: number, request: Buffer): Promise<number | null> {
  const peer = await Peer.to(port);
  try {
    peer.socket.write(connectRequest);
    await until(
      () => peer.frames.length,
      (count) => count === 1,
      'handshake',
    );
    peer.socket.write(request);
    await until(
      () => peer.frames.length === 2 || peer.isClosed,
      (isSettled) => isSettled,
      'reply',
    );
    return peer.frames[1]?.readInt32BE(12) ?? null;
  } finally {
    peer.socket.destroy();
  }
}

/** Every process whose command line names the folder of these servers: java, and the shells that watch it. */
function processesOf(folder: string): string[] {
  const all = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(folder));
}

describe('one server', () => {
  let server: RealServer;
  const folder = (): string => dirname(dirname(server.members[0]!.logFile));

  beforeAll(async () => {
    server = await RealServer.start();
  });
  afterAll(() => server.stop());

  it('serves the release it was asked for', async () => {
    expect(server.version).toBe('3.9.5');
    expect(server.connectString).toBe(`127.0.0.1:${server.members[0]!.port}`);
    expect(await server.fourLetterWord(0, 'srvr')).toMatch(/^Zookeeper version: 3\.9\.5-/);
    expect(await server.mode(0)).toBe('standalone');
    expect(await server.leader()).toBe(0);
    expect(server.members[0]).toMatchObject({ id: 1, role: 'participant', host: '127.0.0.1', isRunning: true });
  });

  it('keeps its data and its port over kill and stop', async () => {
    const { port, pid } = server.members[0]!;
    expect(await ask(port, create(1, '/kept'))).toBe(0);
    await server.kill(0);
    expect(server.members[0]).toMatchObject({ isRunning: false, pid: null });
    expect(await server.mode(0)).toBeNull();
    await expect(Peer.to(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.start(0);
    await expect(server.start(0)).rejects.toThrow('runs already');
    expect(server.members[0]!.pid).not.toBe(pid);
    expect(await ask(port, exists(1, '/kept'))).toBe(0);
    await server.stop(0);
    expect(server.members[0]!.isRunning).toBe(false);
    await server.start();
    expect(await ask(port, exists(1, '/kept'))).toBe(0);
  });

  it('waits for a port of its own that somebody else has got hold of', async () => {
    await server.kill();
    const thief = createServer((socket) => socket.destroy()).listen(server.members[0]!.port, '127.0.0.1');
    await once(thief, 'listening');
    const started = server.start(0);
    await until(
      () => readFileSync(server.members[0]!.logFile, 'utf8'),
      (log) => log.includes('Address already in use'),
    );
    thief.close();
    await started;
    expect(await server.mode(0)).toBe('standalone');
  });

  it('is mute while it is paused, and answers afterwards', async () => {
    await server.pause();
    expect(server.members[0]!.isRunning).toBe(true);
    expect(await server.mode(0)).toBeNull();
    await expect(server.fourLetterWord(0, 'ruok', { timeout: 200 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await server.resume();
    expect(await server.fourLetterWord(0, 'ruok')).toBe('imok');
    await server.pause(0);
    await server.stop(0);
    await server.start(0);
  });

  it('applies a create whose reply the proxy then loses', async () => {
    const proxy = await FaultProxy.start(server.connectString);
    try {
      const lost = proxy.once({ opcode: 'create*', direction: 'reply', action: 'cut' });
      expect(await ask(proxy.port, create(1, '/lost'))).toBeNull();
      expect((await lost).frame.readInt32BE(12)).toBe(0);
      expect(await ask(proxy.port, exists(1, '/lost'))).toBe(0);
    } finally {
      await proxy.stop();
    }
  });

  it('leaves nothing behind, and does not start again, once it is stopped', async () => {
    expect(processesOf(folder()).length).toBeGreaterThan(1);
    await Promise.all([server.stop(), server.stop()]);
    expect(existsSync(folder())).toBe(false);
    expect(processesOf(folder())).toEqual([]);
    await expect(server.start()).rejects.toThrow('stopped for good');
    await server.kill(0);
  });
});

describe('an ensemble', () => {
  it('has a leader and an observer; another leads when the leader is killed', async () => {
    const server = await RealServer.start({ members: 3, observers: 1, config: { maxSessionTimeout: 7_000 } });
    try {
      expect(server.members.map(({ role }) => role)).toEqual(['participant', 'participant', 'participant', 'observer']);
      expect(server.connectString.split(',')).toHaveLength(4);
      expect(await server.mode(3)).toBe('observer');
      expect(await server.fourLetterWord(3, 'conf')).toContain('maxSessionTimeout=7000');
      const first = await server.leader();
      expect(await server.mode(first)).toBe('leader');
      await server.kill(first);
      const second = await server.leader();
      expect(second).not.toBe(first);
      await server.start(first);
      expect(await server.mode(first)).toBe('follower');
    } finally {
      await server.stop();
    }
  });
});

/** Waits until the member is in that mode; Jest's limit is the patience. */
async function becomes(server: RealServer, index: number, mode: string | null): Promise<void> {
  while ((await server.mode(index)) !== mode) await sleep(20);
}

describe('an ensemble whose links go through proxies', () => {
  it('loses the one follower that is cut off from the leader, and gets it back', async () => {
    const links: { member: number; peer: number; proxy: FaultProxy }[] = [];
    const server = await RealServer.start({
      members: 3,
      peerPort: async (member, peer, port) => {
        const proxy = await FaultProxy.start({ host: '127.0.0.1', port });
        links.push({ member, peer, proxy });
        return proxy.port;
      },
    });
    try {
      expect(links.map(({ member, peer }) => `${member}-${peer}`).sort()).toEqual([
        '0-1',
        '0-2',
        '1-0',
        '1-2',
        '2-0',
        '2-1',
      ]);
      const leader = await server.leader();
      const [cutOff, other] = [0, 1, 2].filter((index) => index !== leader) as [number, number];
      const link = (member: number): FaultProxy | undefined =>
        links.find((each) => each.member === member && each.peer === leader)?.proxy;
      // Followers only have a link to their leader, and the leader has none.
      await until(
        () => links.filter(({ proxy }) => proxy.connections > 0).map(({ proxy }) => proxy),
        (used) => used.length === 2 && used.includes(link(cutOff)!) && used.includes(link(other)!),
      );
      const { port } = server.members[cutOff]!;
      expect(await ask(port, create(1, '/before'))).toBe(0);
      await link(cutOff)?.blackhole();
      // Reads and pings it answers by itself, for a while.
      expect(await server.mode(cutOff)).toBe('follower');
      await becomes(server, cutOff, null);
      expect(await server.leader()).toBe(leader);
      expect(await ask(server.members[other]!.port, create(1, '/meanwhile'))).toBe(0);
      await link(cutOff)?.restore();
      await becomes(server, cutOff, 'follower');
      expect(await ask(port, exists(1, '/meanwhile'))).toBe(0);
    } finally {
      await server.stop();
      await Promise.all(links.map(({ proxy }) => proxy.stop()));
    }
  });
});

describe('a start that fails', () => {
  it('shows the log of a server that ends at once', async () => {
    const failed = RealServer.start({ config: { tickTime: 'never' } });
    await expect(failed).rejects.toBeInstanceOf(RealServerStartError);
    await expect(failed).rejects.toThrow(/says last:[\s\S]*NumberFormatException/);
  });

  it('shows the log of a server that takes too long', async () => {
    const failed = RealServer.start({ timeout: 50 });
    await expect(failed).rejects.toThrow(/does not serve within 50 ms\. Server 1 .* says last/);
  });

  it('gives up when other ports do not help', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const failed = RealServer.start({ config: { clientPort: port } });
    await expect(failed).rejects.toThrow(/Address already in use/);
    await expect(failed).rejects.toBeInstanceOf(RealServerStartError);
    holder.close();
  });

  it('ends with its signal', async () => {
    await expect(RealServer.start({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const late = RealServer.start({ members: 2, signal: AbortSignal.timeout(100) });
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

it('speaks TLS on its public port', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zookit-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const server = await RealServer.start({ tls: { key, cert, ca: cert } });
  try {
    const { port, plainPort } = server.members[0]!;
    expect(port).not.toBe(plainPort);
    expect(server.plainConnectString).toBe(`127.0.0.1:${plainPort}`);
    const pem = readFileSync(cert);
    const socket = connectTls({ host: '127.0.0.1', port, ca: pem, cert: pem, key: readFileSync(key) });
    const peer = new Peer(socket);
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    socket.write(connectRequest);
    await until(
      () => peer.frames.length,
      (count) => count === 1,
      'handshake',
    );
    socket.destroy();
    expect(await ask(plainPort, exists(1, '/'))).toBe(0);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});

describe('when the owner is killed', () => {
  let folder: string;
  let owner: ChildProcess | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'zookit-owner-'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    // What Node can run without Jest; whether the types are right is another check's business.
    spawnBuild(join(folder, 'dist'));
  });
  afterAll(async () => {
    owner?.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('no server, paused ones too, no shell and no folder is left', async () => {
    const module = pathToFileURL(join(folder, 'dist', 'real-server', 'real-server.js')).href;
    const script = `
        import { RealServer } from '${module}';
        const server = await RealServer.start({ members: 2 });
        await server.pause(0);
        console.log(JSON.stringify({ log: server.members[0].logFile, pids: server.members.map(({ pid }) => pid) }));
      `;
    owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(owner.stdout!, 'data');
    const { log, pids } = JSON.parse(String(line)) as { log: string; pids: number[] };
    const servers = dirname(dirname(log));
    expect(existsSync(servers)).toBe(true);
    for (const pid of pids) expect(processesOf(servers).join('\n')).toContain(String(pid));
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await until(
      () => existsSync(servers) || processesOf(servers).length > 0,
      (isLeft) => !isLeft,
      'nothing left',
    );
  });

  function spawnBuild(out: string): void {
    try {
      execFileSync('npm', ['run', 'build', '--', '--outDir', out], {
        cwd: dirname(import.meta.dirname),
        stdio: 'pipe',
      });
    } catch (error) {
      if (!existsSync(join(out, 'real-server', 'real-server.js'))) throw error;
    }
  }
});
