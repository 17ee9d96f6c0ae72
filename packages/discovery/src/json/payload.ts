import { doubleText, JavaDouble } from './java-double.ts';
import { readValue } from './read.ts';
import { bad, stringText, valueText } from './write.ts';

/** Java's array types (`[I`), and class names with their package. */
const CLASS_NAME = /^(?:\[+(?:[ZBCSIJFD]|L[\w$.]+;)|(?:[a-z_][\w$]*\.)+[A-Z_$][\w$]*)$/;

/** The text that a payload was read from, so that what isn't changed is written as it came. */
const sources = new WeakMap<object, string>();

/**
 * A payload as Jackson writes it, with its Java type: maps of JavaScript are LinkedHashMaps, lists ArrayLists, whole numbers
 * Integers or, beyond 32 bits and as bigint, Longs. What names its type already (`@class`, `[class, value]`) keeps it.
 * Throws BadArgumentsError on what JSON can't say.
 */
export function payloadText(payload: unknown): string {
  const text = textOf(payload);
  const source = typeof payload === 'object' && payload !== null ? sources.get(payload) : undefined;
  return source !== undefined && textOf(payloadOf(source)) === text ? source : text;
}

/** A payload from its JSON. Throws SyntaxError. */
export function readPayload(source: string): unknown {
  const payload = payloadOf(source);
  if (typeof payload === 'object' && payload !== null) sources.set(payload, source);
  return payload;
}

function textOf(payload: unknown): string {
  if (typeof payload === 'number') return numberText(payload);
  if (typeof payload === 'bigint') return typed(longOrBigger(payload), String(payload));
  if (payload instanceof JavaDouble) return realText(payload.value);
  if (payload instanceof Uint8Array) return typed('[B', valueText(payload));
  if (Array.isArray(payload))
    return isTyped(payload) ? valueText(payload) : typed('java.util.ArrayList', valueText(payload));
  if (typeof payload !== 'object' || payload === null) return valueText(payload);
  if (typeof (payload as { toJSON?: unknown }).toJSON === 'function')
    return textOf((payload as { toJSON(): unknown }).toJSON());
  const text = valueText(payload);
  if (Object.hasOwn(payload, '@class')) {
    if (typeof (payload as { '@class': unknown })['@class'] !== 'string')
      throw bad('@class must be the name of a class');
    return text;
  }
  return `{"@class":"java.util.LinkedHashMap"${text === '{}' ? '' : ','}${text.slice(1)}`;
}

/** A value from JSON; those types of Java that JavaScript has a counterpart for are taken off. */
function payloadOf(source: string): unknown {
  const value = readValue(source);
  if (Array.isArray(value) && isTyped(value)) {
    const [type, inner] = value;
    if (type === 'java.util.ArrayList' && Array.isArray(inner)) return inner;
    if (type === 'java.lang.Long' && (typeof inner === 'bigint' || Number.isSafeInteger(inner)))
      return BigInt(inner as number);
    if (type === 'java.lang.Double') return Number(inner);
    return value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const { '@class': type, ...members } = value as Record<string, unknown>;
  return type === 'java.util.LinkedHashMap' ? members : value;
}

function isTyped(value: readonly unknown[]): boolean {
  return value.length === 2 && typeof value[0] === 'string' && CLASS_NAME.test(value[0]);
}

function numberText(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return realText(value);
  return (value | 0) === value ? String(value) : typed('java.lang.Long', String(value));
}

function realText(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : typed('java.lang.Double', `"${value}"`);
}

function longOrBigger(value: bigint): string {
  return BigInt.asIntN(64, value) === value ? 'java.lang.Long' : 'java.math.BigInteger';
}

function typed(type: string, text: string): string {
  return `[${stringText(type)},${text}]`;
}
