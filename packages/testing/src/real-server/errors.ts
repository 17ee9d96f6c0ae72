/** Java, Maven or the jars of a release are not to be had here; the message says what to install. */
export class RealServerUnavailableError extends Error {
  override readonly name = 'RealServerUnavailableError';
  readonly code = 'REAL_SERVER_UNAVAILABLE';
}

/** A server did not come up in time, or died on the way; the message ends with the tail of its log. */
export class RealServerStartError extends Error {
  override readonly name = 'RealServerStartError';
  readonly code = 'REAL_SERVER_START';
}
