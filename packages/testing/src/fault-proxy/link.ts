import type { Socket } from 'node:net';
import { Conversation } from './conversation.ts';
import { Lane } from './lane.ts';
import { reset } from './reset.ts';
import type { RuleBook } from './rules.ts';
import type { Weather } from './weather.ts';

export interface LinkOptions {
  client: Socket;
  openServer(): Socket;
  rules: RuleBook;
  weather: Weather;
  /** Both sockets are closed. */
  onGone(): void;
}

/** One client connection and the connection to the server that answers for it. */
export class Link {
  readonly #client: Socket;
  readonly #options: LinkOptions;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  #server: Socket | null = null;
  #hasClientLeft = false;
  #isClosed = false;

  constructor(options: LinkOptions) {
    const { client, rules, weather } = options;
    const conversation = new Conversation();
    const cut = (): void => this.cut();
    this.#options = options;
    this.#client = client;
    this.#toServer = new Lane({ direction: 'request', source: client, sink: null, conversation, rules, weather, cut });
    this.#toClient = new Lane({ direction: 'reply', source: null, sink: client, conversation, rules, weather, cut });
    this.#watch(client, this.#toServer, this.#toClient);
    client.once('end', () => {
      this.#hasClientLeft = true;
    });
    // In a blackhole the server doesn't hear of the new connection either.
    if (weather.blackhole === 'off') this.#openServer();
  }

  /** Whether the client still has its side open, as far as the proxy has seen. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.#hasClientLeft && !this.#client.destroyed;
  }

  get hasLost(): boolean {
    return this.#toServer.hasLost || this.#toClient.hasLost;
  }

  pump(): void {
    this.#toServer.pump();
    this.#toClient.pump();
  }

  loseQueued(): void {
    this.#toServer.loseQueued();
    this.#toClient.loseQueued();
  }

  /** The blackhole is over. */
  resume(): void {
    if (this.hasLost) {
      this.cut();
      return;
    }
    if (!this.#server && !this.#isClosed) this.#openServer();
    this.pump();
  }

  cut(): void {
    this.#toServer.close();
    this.#toClient.close();
    reset(this.#client);
    if (this.#server) reset(this.#server);
  }

  #openServer(): void {
    const server = this.#options.openServer();
    this.#server = server;
    this.#toServer.attach({ sink: server });
    this.#toClient.attach({ source: server });
    this.#watch(server, this.#toClient, this.#toServer);
    this.#toServer.pump();
  }

  #watch(socket: Socket, outgoing: Lane, incoming: Lane): void {
    let hasEnded = false;
    socket.setNoDelay(true);
    // What the error says is in the 'close' that follows.
    socket.on('error', () => {});
    socket.on('data', (bytes) => outgoing.arrive(bytes));
    socket.on('drain', () => incoming.pump());
    socket.on('end', () => {
      hasEnded = true;
      outgoing.arriveEnding('end');
    });
    socket.on('close', (hadError) => {
      if (hadError || !hasEnded) outgoing.arriveEnding('reset');
      // Bytes that wait for this socket have nowhere to go, and nothing must wait behind them.
      incoming.pump();
      this.#onClose();
    });
  }

  #onClose(): void {
    if (!this.#client.destroyed || (this.#server && !this.#server.destroyed) || this.#isClosed) return;
    this.#isClosed = true;
    this.#toServer.close();
    this.#toClient.close();
    this.#options.onGone();
  }
}
