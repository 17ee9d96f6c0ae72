import { channel } from 'node:diagnostics_channel';

/** `{ host, address, port, sessionId }`: a handshake has succeeded. */
export const connectChannel: ReturnType<typeof channel> = channel('zookit:connect');
/** `{ state, previous, sessionId }`: the client's state has changed. */
export const sessionChannel: ReturnType<typeof channel> = channel('zookit:session');
/** `{ operation, path, code, ms }`: a call was settled; `code` is `OK` or the error's, `ms` is the time since it was made. */
export const requestChannel: ReturnType<typeof channel> = channel('zookit:request');
