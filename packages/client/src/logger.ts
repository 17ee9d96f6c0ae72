/** Where zookit writes what it does. It never passes data, passwords or auth. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

const nothing = (): void => {};

export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
