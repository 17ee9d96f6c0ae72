import type { Socket } from 'node:net';

/** Closes a socket so that its peer sees a reset, and at once, whatever is still to be written. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // Node can't reset a socket that is not connected yet, nor one whose FIN is on its way out.
  if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) socket.destroy();
  else socket.resetAndDestroy();
}
