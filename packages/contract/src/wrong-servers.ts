import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Context } from './context.ts';

/** 'host:port' of something that listens there and is no ZooKeeper server. Closed at the end of the case. */
export async function listen(ctx: Context, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  ctx.defer(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Accepts connections, reads what comes, and never says a word. */
export function mute(ctx: Context): Promise<string> {
  return listen(
    ctx,
    createServer((socket) => socket.resume()),
  );
}

/** Accepts connections and closes them at once. */
export function slamming(ctx: Context): Promise<string> {
  return listen(
    ctx,
    createServer((socket) => socket.end()),
  );
}

/** Speaks first, and another protocol. */
export function greeting(ctx: Context, text: string): Promise<string> {
  return listen(
    ctx,
    createServer((socket) => socket.resume().write(text)),
  );
}

export function http(ctx: Context): Promise<string> {
  return listen(
    ctx,
    createHttpServer((_request, response) => response.end('hello')),
  );
}

/** A port on which nobody listens. */
export async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}
