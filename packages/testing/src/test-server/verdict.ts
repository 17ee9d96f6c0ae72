import { inspect } from 'node:util';
import { ErrorCode } from '@zookit/protocol';
import type { Verdict } from './observe.ts';

/** A verdict as it is carried out: errors have their number. */
export type Ruling = Extract<Verdict, string | { delay: number }> | { readonly error: number };

const words: readonly unknown[] = ['pass', 'drop-request', 'drop-reply', 'disconnect-before', 'disconnect-after'];
const longestDelay = 2 ** 31 - 1;

/** @throws TypeError for what is no verdict */
export function rulingOf(verdict: unknown): Ruling {
  if (verdict === undefined) return 'pass';
  if (words.includes(verdict)) return verdict as Ruling;
  if (typeof verdict === 'object' && verdict !== null) {
    if ('error' in verdict) return { error: errnoOf(verdict.error) };
    if ('delay' in verdict && isDelay(verdict.delay)) return { delay: verdict.delay };
  }
  throw new TypeError(
    `an interceptor decided ${show(verdict)}: a verdict is undefined, ${words.map(show).join(', ')}, { delay: ms } or { error: code }`,
  );
}

function errnoOf(code: unknown): number {
  if (typeof code === 'number' && code !== 0 && (code | 0) === code) return code;
  if (typeof code === 'string' && code !== 'OK' && Object.hasOwn(ErrorCode, code)) {
    return ErrorCode[code as keyof typeof ErrorCode];
  }
  throw new TypeError(
    `an interceptor decided { error: ${show(code)} }: a code is a number such as ${ErrorCode.NO_NODE}, or its name in ErrorCode, such as 'NO_NODE'`,
  );
}

function isDelay(ms: unknown): ms is number {
  return typeof ms === 'number' && ms >= 0 && ms <= longestDelay;
}

function show(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY });
}
