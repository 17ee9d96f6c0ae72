import { BadArgumentsError } from '@zookit/client';
import { doubleText, JavaDouble } from './java-double.ts';

const SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const ESCAPED = /[\u0000-\u001f"\\\ud800-\udfff]/g;

/** A string as Jackson writes it: upper-case hex, and characters beyond U+FFFF as two escapes. */
export function stringText(text: string): string {
  const escaped = (unit: string): string =>
    SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return `"${text.replace(ESCAPED, escaped)}"`;
}

/** A value as Jackson writes it where it needs no type: inside of a payload. Throws BadArgumentsError on what JSON can't say. */
export function valueText(value: unknown): string {
  return textOf(value, []);
}

function textOf(value: unknown, around: readonly object[]): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return stringText(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (value instanceof JavaDouble) return Number.isFinite(value.value) ? doubleText(value.value) : `"${value.value}"`;
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (typeof value !== 'object' || value instanceof Map || value instanceof Set) {
    throw bad(`${typeof value === 'object' ? 'a Map or Set' : `a ${typeof value}`} is no JSON`);
  }
  if (around.includes(value)) throw bad('it holds itself');
  const inside = [...around, value];
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each, inside)).join(',')}]`;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return textOf(toJSON.call(value), inside);
  return `{${membersText(value, inside)}}`;
}

/** The members of an object, without its braces. */
function membersText(value: object, around: readonly object[]): string {
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => `${stringText(key)}:${textOf(each, around)}`)
    .join(',');
}

/** Whole numbers are Java's integers, others its doubles. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  return doubleText(value);
}

export function bad(why: string): BadArgumentsError {
  return new BadArgumentsError('BAD_ARGUMENTS', { message: `the payload can't be written: ${why}` });
}
