import { afterEach, beforeEach } from '@jest/globals';
import { FaultProxy } from '../src/fault-proxy/fault-proxy.ts';
import { connectRequest, FramedServer, frame, Peer, until } from './framed-peers.ts';

export const PING: Buffer = frame(-2, 11);
export const create = (xid: number, path = '/a'): Buffer => frame(xid, 1, path);
export const getData = (xid: number, path = '/a'): Buffer => frame(xid, 4, path);

/** For `until`: at least so many. */
export const seen =
  (count: number) =>
  (frames: { length: number }): boolean =>
    frames.length >= count;

/** A server, a proxy before it, and clients of the proxy; new for every test. */
export interface Proxied {
  server: FramedServer;
  proxy: FaultProxy;
  client(options?: { handshake: boolean }): Promise<Peer>;
}

export function useProxy(): Proxied {
  const clients: Peer[] = [];
  const proxied = {
    async client({ handshake } = { handshake: true }): Promise<Peer> {
      const peer = await Peer.to(proxied.proxy.port);
      clients.push(peer);
      if (handshake) {
        peer.socket.write(connectRequest);
        await until(() => peer.frames, seen(1), 'handshake');
      }
      return peer;
    },
  } as Proxied;

  beforeEach(async () => {
    proxied.server = await FramedServer.start();
    proxied.proxy = await FaultProxy.start(proxied.server.address);
  });

  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await proxied.proxy.stop();
    await proxied.server.stop();
  });

  return proxied;
}
