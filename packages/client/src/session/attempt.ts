import { Connection, type ConnectionHandlers, type HandshakeRequest, zooKeeperError } from '@zookit/protocol';
import { reasonOf } from '@zookit/protocol/internal';
import { onAbort } from '../abort.ts';
import type { Host } from '../connect-string.ts';
import type { Settings } from '../options.ts';
import { pingInterval } from './lease.ts';

/**
 * One try at one host: the name is looked up anew, and its addresses are tried in turn until one shakes hands.
 *
 * `budget` (ms) is for all of it. Rejects with what the handshake rejects with, or ConnectionLossError when the name has no address.
 */
export async function attempt(
  settings: Settings,
  { host, port }: Host,
  handshake: HandshakeRequest,
  budget: number,
  signal: AbortSignal,
  handlers: ConnectionHandlers,
): Promise<Connection> {
  const { clock, connect, firstXid } = settings.environment;
  const until = clock.now() + budget;
  const addresses = await addressesOf(settings, host, budget, signal);
  let failure: unknown = null;
  for (const [index, address] of addresses.entries()) {
    signal.throwIfAborted();
    try {
      return await Connection.open({
        target: { host, address, port, tls: settings.tls },
        open: connect,
        clock,
        handshake,
        handshakeTimeout: Math.max(1, (until - clock.now()) / (addresses.length - index)),
        signal,
        maxRequestBytes: settings.maxRequestBytes,
        maxResponseBytes: settings.maxResponseBytes,
        firstXid,
        pingInterval,
        requestTimeout: settings.requestTimeout ?? null,
        unref: settings.unref,
        handlers,
      });
    } catch (error) {
      if ((error as { code?: unknown }).code === 'SESSION_EXPIRED') throw error;
      failure = error;
    }
  }
  throw failure;
}

/** Looks a name up. Rejects with ConnectionLossError, or the signal's reason. */
export function addressesOf(
  settings: Settings,
  host: string,
  budget: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { clock, lookup } = settings.environment;
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown): void =>
      reject(
        zooKeeperError('CONNECTION_LOSS', {
          operation: 'connect',
          message: `host ${JSON.stringify(host)} ${message}`,
          cause,
        }),
      );
    const timer = clock.setTimeout(() => fail(`was not resolved within ${Math.round(budget)} ms`), budget);
    if (settings.unref) timer.unref?.();
    const off = onAbort(signal, () => {
      clock.clearTimeout(timer);
      reject(signal.reason);
    });
    Promise.resolve()
      .then(() => lookup(host))
      .then(
        (answer) => {
          const addresses = answer.map((each) => (typeof each === 'string' ? each : each.address));
          if (addresses.length === 0) fail('has no address');
          else resolve(addresses);
        },
        (cause) => fail(`can't be resolved: ${reasonOf(cause)}`, cause),
      )
      .finally(() => {
        clock.clearTimeout(timer);
        off();
      });
  });
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export function pause(settings: Settings, ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  const { clock } = settings.environment;
  return new Promise((resolve) => {
    const done = (): void => {
      clock.clearTimeout(timer);
      off();
      resolve();
    };
    const timer = clock.setTimeout(done, ms);
    if (settings.unref) timer.unref?.();
    const off = onAbort(signal, done);
  });
}
