/**
 * Runs the callback when all microtasks that are queued now, and those that they queue, have run, but before any I/O or timer.
 * A tick that is queued from a microtask starts only when the microtask queue is empty.
 */
export function afterMicrotasks(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback));
}
