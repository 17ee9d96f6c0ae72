import { afterAll } from '@jest/globals';
import { createBody, Op, RawClient, type RawHandshake } from '../raw-client.ts';

/** A running server that the cases are tried on. */
export interface Target {
  connectString: string;
  /** Connect strings of the members, of which there may be one. */
  members: string[];
  tickTime: number;
}

export type GetTarget = () => Target;

let counter = 0;

/** Clients and paths for one case: every case has a subtree of its own, and leaves no client behind. */
export function useClients(target: GetTarget): {
  open(handshake?: RawHandshake, member?: number): Promise<RawClient>;
  dial(member?: number): Promise<RawClient>;
  freshPath(client: RawClient): Promise<string>;
} {
  const clients: RawClient[] = [];
  afterAll(async () => {
    for (const client of clients) await client.close();
  });
  const keep = (client: RawClient): RawClient => {
    clients.push(client);
    return client;
  };
  const address = (member = 0): string => target().members[member] ?? target().connectString;
  return {
    open: async (handshake, member) => keep(await RawClient.open(address(member), handshake)),
    dial: async (member) => keep(await RawClient.dial(address(member))),
    freshPath: async (client) => {
      counter += 1;
      const path = `/case-${counter}`;
      const err = await client.err(Op.create, createBody(path));
      if (err !== 0) throw new Error(`${path} cannot be made: ${err}`);
      return path;
    },
  };
}
