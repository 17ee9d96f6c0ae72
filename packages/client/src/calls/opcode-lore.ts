import type { SocketTarget } from '@zookit/protocol';

type Server = Pick<SocketTarget, 'address' | 'port'>;

/** What is known of one request type at one server. */
interface Lore {
  /** It has been answered there: whatever happens later, it is not the request that ends connections. */
  known: boolean;
  lacking: boolean;
  /** Connections in a row that ended while it waited for its answer. */
  deaths: number;
}

/** Which request types the servers know, by address and port: in a rolling upgrade one does and another doesn't. */
export class OpcodeLore {
  readonly #servers = new Map<string, Map<number, Lore>>();

  lacks(server: Server, opcode: number): boolean {
    return this.#find(server, opcode)?.lacking ?? false;
  }

  /** Whether the server has ever answered such a request. */
  knows(server: Server, opcode: number): boolean {
    return this.#find(server, opcode)?.known ?? false;
  }

  /** The server has said that it doesn't know it. */
  denied(server: Server, opcode: number): void {
    const lore = this.#of(server, opcode);
    lore.lacking = true;
    lore.known = false;
  }

  answered(server: Server, opcode: number): void {
    const lore = this.#of(server, opcode);
    lore.known = true;
    lore.deaths = 0;
  }

  /**
   * A connection has ended while such a request was the first to be answered. Some servers hang up over what they don't know, without a word: after
   * `limit` times in a row, and no answer ever, this is taken for one of them. True when it is.
   */
  unanswered(server: Server, opcode: number, limit: number): boolean {
    const lore = this.#of(server, opcode);
    lore.deaths += 1;
    if (!lore.known && lore.deaths >= limit) lore.lacking = true;
    return lore.lacking;
  }

  #find({ address, port }: Server, opcode: number): Lore | undefined {
    return this.#servers.get(`${address}:${port}`)?.get(opcode);
  }

  #of({ address, port }: Server, opcode: number): Lore {
    const key = `${address}:${port}`;
    const opcodes = this.#servers.get(key) ?? new Map<number, Lore>();
    this.#servers.set(key, opcodes);
    const lore = opcodes.get(opcode) ?? { known: false, lacking: false, deaths: 0 };
    opcodes.set(opcode, lore);
    return lore;
  }
}
