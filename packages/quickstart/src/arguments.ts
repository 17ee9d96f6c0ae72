import { parseArgs } from 'node:util';
import { ZooKeeper } from 'zookit';

export interface DemoOptions {
  /** A connect string; null: a server of the demo's own. */
  server: string | null;
  /** Whether the demo's own server is Apache ZooKeeper. */
  real: boolean;
  services: number;
  seconds: number;
  /** Null: time alone counts. */
  grants: number | null;
  /** About how long a service works under the lock, in ms. */
  work: number;
  noColor: boolean;
}

/** Greek letters: names that are short and sort by age. */
export const NAMES: readonly string[] = 'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu'.split(' ');

export const HELP: string = `Usage: scripts/quickstart [options]

Service processes share one distributed lock. One of them is killed with -9 while it holds the lock, the lock moves on
when its session ends, and no two ever hold it together. Exits with 0 when all of that was seen.

  --server host:port[,host:port][/chroot]   any ensemble; default: a server inside the demo's own process
  --real         start Apache ZooKeeper 3.9.5 for the run (wants Java and Maven)
  --services N   how many processes, 2 to ${NAMES.length}; default 3
  --seconds N    how long they go on; default 12. With --grants: how long these may take; default 60
  --grants N     stop after so many grants
  --work MS      about how long they work under the lock each time; default 450
  --no-color     plain text; also with NO_COLOR set, and where the output is no terminal
  --help         this text
`;

/** What can't be meant, in words for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The demo's options; 'help' when that is asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const values = parsed(args);
  if (values.help) return 'help';
  const { server = null, real = false } = values;
  if (server !== null && real) throw new UsageError('--server and --real exclude each other');
  if (server !== null) checkConnectString(server);
  const services = numberOf('--services', values.services, 2, NAMES.length) ?? 3;
  // Everybody gets the lock before one is killed, and somebody after it.
  const grants = numberOf('--grants', values.grants, services + 1, 100_000);
  const seconds = numberOf('--seconds', values.seconds, 1, 86_400) ?? (grants === null ? 12 : 60);
  const work = numberOf('--work', values.work, 1, 600_000) ?? 450;
  return { server, real, services, seconds, grants, work, noColor: values['no-color'] ?? false };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        server: { type: 'string' },
        real: { type: 'boolean' },
        services: { type: 'string' },
        seconds: { type: 'string' },
        grants: { type: 'string' },
        work: { type: 'string' },
        'no-color': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function checkConnectString(server: string): void {
  try {
    new ZooKeeper(server);
  } catch (error) {
    throw new UsageError(`--server: ${(error as Error).message}`, { cause: error });
  }
}

function numberOf(name: string, text: string | undefined, least: number, most: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${name} takes a number from ${least} to ${most}, not ${text}`);
}
