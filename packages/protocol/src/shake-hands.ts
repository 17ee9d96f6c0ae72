import type { Duplex } from 'node:stream';
import { JuteWriter } from 'jute-ts';
import type { Clock, SocketTarget } from './environment.ts';
import { ZooKeeperError, zooKeeperError } from './errors.ts';
import { FrameDecoder } from './framing.ts';
import { type HandshakeRequest, type HandshakeResponse, readHandshake, writeHandshake } from './handshake.ts';
import { describeTarget, ignore, reasonOf } from './transport.ts';

/** Whom to shake hands with, and how. */
export interface Greeting {
  target: SocketTarget;
  clock: Clock;
  handshake: HandshakeRequest;
  maxResponseBytes: number;
}

/** A socket after its handshake. */
export interface Greeted {
  socket: Duplex;
  granted: HandshakeResponse;
  /** When the ConnectRequest was sent. */
  sentAt: number;
  /** Stands behind the first frame. */
  decoder: FrameDecoder;
}

/**
 * Sends the ConnectRequest and waits for the first frame. What comes behind that frame belongs to what `make` makes of it, at once. Rejects, and
 * destroys the socket, as `readHandshake` throws, or with the signal's reason.
 */
export function shakeHands<T>(
  socket: Duplex,
  options: Greeting,
  signal: AbortSignal,
  make: (greeted: Greeted) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const decoder = new FrameDecoder(options.maxResponseBytes);
    const sentAt = options.clock.now();
    const fail = (error: unknown): void => {
      cleanUp();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const lost = (reason: string, cause?: unknown): void =>
      fail(
        zooKeeperError('CONNECTION_LOSS', {
          operation: 'connect',
          message: `${describeTarget(options.target)} ${reason}`,
          cause,
        }),
      );
    const onData = (chunk: Buffer): void => {
      try {
        decoder.push(chunk);
        const decoded = decoder.next();
        if (decoded === 'more') return;
        if (decoded === 'oversized') throw zooKeeperError('PROTOCOL', { message: 'the first frame is absurdly long' });
        const granted = readHandshake(decoder.buffer.subarray(decoder.start, decoder.end));
        cleanUp();
        resolve(make({ socket, granted, sentAt, decoder }));
      } catch (cause) {
        if (cause instanceof ZooKeeperError && cause.errno !== 0) fail(cause);
        else
          fail(
            zooKeeperError('PROTOCOL', {
              operation: 'connect',
              message: `${describeTarget(options.target)} does not answer as a ZooKeeper server: ${reasonOf(cause)}`,
              cause,
            }),
          );
      }
    };
    const onError = (cause: unknown): void =>
      lost(`broke the connection during the handshake: ${reasonOf(cause)}`, cause);
    const onEnd = (): void =>
      lost('closed the connection without an answer (not serving, behind this client, or full)');
    const onAbort = (): void => fail(signal.reason);
    const cleanUp = (): void => {
      socket.off('data', onData);
      socket.off('error', onError);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      signal.removeEventListener('abort', onAbort);
    };
    socket.on('data', onData);
    socket.on('error', onError);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) {
      onAbort();
      return;
    }
    const writer = new JuteWriter(64);
    writeHandshake(writer, options.handshake);
    socket.write(writer.take());
  });
}
