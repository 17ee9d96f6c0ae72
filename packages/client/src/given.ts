import { BadArgumentsError } from '@zookit/protocol';

/** The options of a call; null is as good as none. Throws BadArgumentsError on what is no object, which would be silently ignored. */
export function optionsOf<T extends object>(
  options: T | null,
  operation: string,
  path?: string,
  example = 'timeout: 5_000',
): T {
  if (options === null) return {} as T;
  if (typeof options === 'object' && !Array.isArray(options)) return options;
  throw new BadArgumentsError('BAD_ARGUMENTS', {
    operation,
    path,
    message: `options are an object such as { ${example} }, not ${Array.isArray(options) ? 'a list' : describe(options)}`,
  });
}

function describe(value: unknown): string {
  return typeof value === 'function' ? 'a function' : String(value);
}
