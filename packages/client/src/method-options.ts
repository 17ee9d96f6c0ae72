import type { CallOptions } from './options.ts';
import type { WatchListener } from './watches/event.ts';

export interface ReadOptions extends CallOptions {
  /** Called once: at the next change, or when the session ends. The same function on the same path and kind is one watch. */
  watch?: WatchListener;
  /** Takes the watch back. */
  watchSignal?: AbortSignal;
}

export interface VersionOptions extends CallOptions {
  /** Only if the znode is at this version; default -1, any. */
  version?: number;
}

export interface AclVersionOptions extends CallOptions {
  /** Only if the ACL is at this version (`stat.aversion`); default -1, any. */
  aclVersion?: number;
}

export interface DeleteOptions extends VersionOptions {
  /** Delete all that lies below as well, children that appear meanwhile included. `version` is that of the znode itself. Default false. */
  recursive?: boolean;
  /** Go on in the background, whatever becomes of the connection, until the znode is gone or the client is closed. Default false. */
  guaranteed?: boolean;
}

export interface CloseOptions {
  /** Leave the session alive on the server, for another client to take over. Default false. */
  detach?: boolean;
  /** ms after which `close()` resolves in any case. Default: what is left of the session, and no more than 1,750 without a connection. */
  timeout?: number;
  /** Ends the wait as the timeout does: `close()` resolves, and the server is left to end the session by itself. */
  signal?: AbortSignal | undefined;
}
