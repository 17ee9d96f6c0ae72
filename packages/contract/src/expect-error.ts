import { expect } from '@jest/globals';
import type { ZooKeeperError } from '@zookit/client';

interface ErrorClass<E> {
  // biome-ignore lint/suspicious/noExplicitAny: the constructors of errors differ
  new (...args: any[]): E;
}

/** Expects a call to reject with an error of a class and, as far as they are given, these properties. Resolves with the error. */
export async function expectError<E extends ZooKeeperError>(
  call: Promise<unknown>,
  type: ErrorClass<E>,
  properties: Partial<Record<keyof ZooKeeperError, unknown>> = {},
): Promise<E> {
  const error = await call.then(
    (value) => {
      throw new Error(`expected ${type.name}, but the call resolved with ${JSON.stringify(value, plain)}`);
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject(properties);
  return error as E;
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
