import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAtLeast } from './release.ts';

export type ServerConfig = Readonly<Record<string, string | number | boolean>>;

/** Paths of PEM files: the server's certificate and key, and the authority that its clients' certificates come from. */
export interface RealServerTls {
  cert: string;
  key: string;
  ca: string;
}

export interface Seat {
  /** ZooKeeper's own number of the member, from 1. */
  id: number;
  role: 'participant' | 'observer';
  ports: { plain: number; secure: number; quorum: number; election: number };
}

export interface ServerFilesOptions {
  version: string;
  seat: Seat;
  /** Every member as this one sees it, itself too. */
  seats: readonly Seat[];
  /** Whether the list of members is fixed, so that each may have its own view of it; before 3.5 it always is. */
  isStatic: boolean;
  tickTime: number;
  tls: RealServerTls | undefined;
  /** Extra zoo.cfg lines; they win over ours. */
  config: ServerConfig;
}

/** Writes all that one server reads: zoo.cfg, its id, the list of members, the TLS stores, how to log. */
export async function writeServerFiles(folder: string, options: ServerFilesOptions): Promise<void> {
  const { seat, seats, tls } = options;
  const isEnsemble = seats.length > 1;
  const settings = new Map<string, string | number | boolean>(Object.entries(common(folder, options)));
  for (const name of ['conf', 'data', 'tmp']) await mkdir(join(folder, name), { recursive: true });
  if (isEnsemble) {
    await writeFile(join(folder, 'data', 'myid'), `${seat.id}\n`);
    for (const [name, value] of Object.entries(ensemble(folder, options))) settings.set(name, value);
    if (hasDynamicConfig(options)) {
      await writeFile(join(folder, 'members.cfg'), seats.map((other) => `${dynamicLine(other)}\n`).join(''));
    }
  }
  if (tls) {
    for (const [name, value] of Object.entries(await secure(folder, seat, tls))) settings.set(name, value);
  }
  for (const [name, value] of Object.entries(options.config)) settings.set(name, value);
  await writeFile(join(folder, 'zoo.cfg'), [...settings].map(([name, value]) => `${name}=${value}\n`).join(''));
  await writeLogging(join(folder, 'conf'));
}

function hasDynamicConfig({ version, isStatic }: ServerFilesOptions): boolean {
  return !isStatic && isAtLeast(version, 3, 5);
}

function common(folder: string, options: ServerFilesOptions): ServerConfig {
  const { version, seat, seats, tickTime } = options;
  return {
    tickTime,
    dataDir: join(folder, 'data'),
    maxClientCnxns: 0,
    preAllocSize: 1024,
    'admin.enableServer': false,
    '4lw.commands.whitelist': '*',
    extendedTypesEnabled: true,
    ...(isAtLeast(version, 3, 7) && { enforceQuota: true }),
    // With a dynamic configuration the client's address is in the list of members, and must not be here as well.
    ...((seats.length === 1 || !hasDynamicConfig(options)) && {
      clientPort: seat.ports.plain,
      clientPortAddress: '127.0.0.1',
    }),
  };
}

function ensemble(folder: string, options: ServerFilesOptions): ServerConfig {
  const { version, seat, seats, isStatic } = options;
  return {
    initLimit: 10,
    syncLimit: 5,
    ...(seat.role === 'observer' && { peerType: 'observer' }),
    ...(hasDynamicConfig(options)
      ? { reconfigEnabled: true, standaloneEnabled: false, dynamicConfigFile: join(folder, 'members.cfg') }
      : Object.fromEntries(seats.map(staticLine))),
    ...(isStatic && isAtLeast(version, 3, 5) && { reconfigEnabled: false, standaloneEnabled: false }),
  };
}

function staticLine({ id, role, ports: { quorum, election } }: Seat): [string, string] {
  return [`server.${id}`, `127.0.0.1:${quorum}:${election}${role === 'observer' ? ':observer' : ''}`];
}

function dynamicLine({ id, role, ports: { quorum, election, plain } }: Seat): string {
  return `server.${id}=127.0.0.1:${quorum}:${election}:${role};127.0.0.1:${plain}`;
}

async function secure(folder: string, { ports }: Seat, { cert, key, ca }: RealServerTls): Promise<ServerConfig> {
  const keyStore = join(folder, 'conf', 'keystore.pem');
  const trustStore = join(folder, 'conf', 'truststore.pem');
  // The server reads keys as PKCS #8 only, and wants key and certificate in one file.
  const pkcs8 = createPrivateKey(await readFile(key)).export({ type: 'pkcs8', format: 'pem' });
  await writeFile(keyStore, `${pkcs8}${await readFile(cert, 'utf8')}`, { mode: 0o600 });
  await writeFile(trustStore, await readFile(ca));
  return {
    secureClientPort: ports.secure,
    secureClientPortAddress: '127.0.0.1',
    serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
    'ssl.keyStore.location': keyStore,
    'ssl.keyStore.type': 'PEM',
    'ssl.trustStore.location': trustStore,
    'ssl.trustStore.type': 'PEM',
  };
}

/** Warnings and worse, to stderr: one file for slf4j-simple, one for 3.4's log4j. */
async function writeLogging(folder: string): Promise<void> {
  await writeFile(
    join(folder, 'simplelogger.properties'),
    'org.slf4j.simpleLogger.defaultLogLevel=warn\norg.slf4j.simpleLogger.showDateTime=true\n' +
      'org.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS\n',
  );
  await writeFile(
    join(folder, 'log4j.properties'),
    'log4j.rootLogger=WARN, stderr\nlog4j.appender.stderr=org.apache.log4j.ConsoleAppender\n' +
      'log4j.appender.stderr.target=System.err\nlog4j.appender.stderr.layout=org.apache.log4j.PatternLayout\n' +
      'log4j.appender.stderr.layout.ConversionPattern=%d{HH:mm:ss,SSS} %-5p %c: %m%n\n',
  );
}
