import { payloadText, readPayload } from './json/payload.ts';
import { type Member, readMembers } from './json/read.ts';
import { stringText } from './json/write.ts';
import { type ServiceInstance, type ServiceType, serviceTypes } from './service-instance.ts';
import type { UriPart, UriSpec } from './uri-spec.ts';

/** A bare number as a payload has no identity: this is how an instance that was read is written with the same digits. */
const numberSources = new WeakMap<ServiceInstance, { payload: unknown; source: string }>();

/**
 * An instance as Curator's JsonInstanceSerializer writes it, byte for byte; `compatible` leaves `enabled` out, as Curator does
 * by default. Throws BadArgumentsError when JSON can't say the payload.
 */
export function writeInstance(instance: ServiceInstance, compatible: boolean): Buffer {
  const { name, id, address, port, sslPort, registrationTimeUTC, serviceType, uriSpec, enabled } = instance;
  const number = numberSources.get(instance);
  const payload = number?.payload === instance.payload ? number?.source : undefined;
  const members = [
    `"name":${stringText(name)}`,
    `"id":${stringText(id)}`,
    `"address":${textOrNull(address)}`,
    `"port":${port}`,
    `"sslPort":${sslPort}`,
    `"payload":${payload ?? payloadText(instance.payload)}`,
    `"registrationTimeUTC":${registrationTimeUTC}`,
    `"serviceType":${textOrNull(serviceType)}`,
    `"uriSpec":${uriSpec === null ? 'null' : uriText(uriSpec)}`,
  ];
  if (!compatible) members.push(`"enabled":${enabled}`);
  return Buffer.from(`{${members.join(',')}}`);
}

/**
 * An instance from its JSON. As lenient as Jackson is for Curator: members may be missing, unknown ones are ignored, numbers may be
 * text. The payload keeps what it came with. Throws SyntaxError or TypeError.
 */
export function readInstance(data: Uint8Array | null): ServiceInstance {
  if (data === null || data.length === 0) throw new SyntaxError('the znode has no data');
  const members = readMembers(new TextDecoder('utf-8', { fatal: true }).decode(data));
  const value = (key: string): unknown => members.get(key)?.value;
  const instance: ServiceInstance = {
    name: textOf('name', value('name')) ?? '',
    id: textOf('id', value('id')) ?? '',
    address: textOf('address', value('address')),
    port: integerOf('port', value('port')),
    sslPort: integerOf('sslPort', value('sslPort')),
    payload: payloadOf(members.get('payload')),
    registrationTimeUTC: integerOf('registrationTimeUTC', value('registrationTimeUTC')) ?? 0,
    serviceType: members.has('serviceType') ? typeOf(value('serviceType')) : 'DYNAMIC',
    uriSpec: uriSpecOf(value('uriSpec')),
    enabled: members.has('enabled') ? booleanOf('enabled', value('enabled')) : true,
  };
  const { payload } = instance;
  if (typeof payload === 'number') {
    numberSources.set(instance, { payload, source: members.get('payload')?.source ?? String(payload) });
  }
  return instance;
}

function textOrNull(text: string | null): string {
  return text === null ? 'null' : stringText(text);
}

function uriText({ parts }: UriSpec): string {
  const texts = parts.map(({ value, variable }) => `{"value":${stringText(value)},"variable":${variable}}`);
  return `{"parts":[${texts.join(',')}]}`;
}

function payloadOf(member: Member | undefined): unknown {
  return member === undefined ? null : readPayload(member.source);
}

function textOf(key: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'object') throw wrong(key, 'no text');
  return String(value);
}

function integerOf(key: string, value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  if (typeof value === 'string' && value.trim() === '') return null;
  const number = isNumber || typeof value === 'string' ? Math.trunc(Number(value)) : Number.NaN;
  if (!Number.isFinite(number)) throw wrong(key, 'no number');
  return number;
}

function typeOf(value: unknown): ServiceType | null {
  if (value === null) return null;
  if (!serviceTypes.includes(value as ServiceType)) throw wrong('serviceType', `none of ${serviceTypes.join(', ')}`);
  return value as ServiceType;
}

function booleanOf(key: string, value: unknown): boolean {
  if (value === null) return false;
  if (typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  if (typeof value === 'number') return value !== 0;
  throw wrong(key, 'neither true nor false');
}

function uriSpecOf(value: unknown): UriSpec | null {
  if (value === undefined || value === null) return null;
  const parts = (value as { parts?: unknown }).parts ?? [];
  if (typeof value !== 'object' || !Array.isArray(parts)) throw wrong('uriSpec', 'no list of parts');
  return { parts: parts.map(partOf) };
}

function partOf(part: unknown): UriPart {
  if (typeof part !== 'object' || part === null) throw wrong('uriSpec', 'no list of parts');
  const { value, variable } = part as Partial<Record<keyof UriPart, unknown>>;
  return { value: textOf('uriSpec', value) ?? '', variable: booleanOf('uriSpec', variable ?? false) };
}

function wrong(key: string, what: string): TypeError {
  return new TypeError(`the instance's ${key} is ${what}`);
}
