import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { BadArgumentsError } from '@zookit/client';
import { checkPath } from '@zookit/client/internal';
import { parseUriSpec, type UriSpec } from './uri-spec.ts';

/** `DYNAMIC` and `DYNAMIC_SEQUENTIAL` live as long as the session; `STATIC` until the discovery is closed, `PERMANENT` until unregistered. */
export type ServiceType = 'DYNAMIC' | 'STATIC' | 'PERMANENT' | 'DYNAMIC_SEQUENTIAL';

export const serviceTypes: readonly ServiceType[] = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'];

/** One instance of a service, as Curator writes it. */
export interface ServiceInstance<Payload = unknown> {
  name: string;
  /** Unique within the service. */
  id: string;
  address: string | null;
  port: number | null;
  sslPort: number | null;
  payload: Payload;
  /** ms since the epoch. */
  registrationTimeUTC: number;
  /** Null only where another client wrote so. */
  serviceType: ServiceType | null;
  uriSpec: UriSpec | null;
  /** Whether it wants to be used. Written only with `compatible: false`. */
  enabled: boolean;
}

/** One that can be registered. */
export type TypedInstance = ServiceInstance & { serviceType: ServiceType };

/** What an instance is made from: a name, and what differs from the defaults. */
export interface ServiceInstanceInit<Payload = unknown>
  extends Partial<Omit<ServiceInstance<Payload>, 'name' | 'uriSpec' | 'serviceType'>> {
  name: string;
  serviceType?: ServiceType;
  /** Also as text: `{scheme}://{address}:{port}`. */
  uriSpec?: UriSpec | string | null;
}

/** What Curator makes of members that are not there. */
const absent: Omit<ServiceInstance, 'name' | 'id'> = {
  address: null,
  port: null,
  sslPort: null,
  payload: null,
  registrationTimeUTC: 0,
  serviceType: 'DYNAMIC',
  uriSpec: null,
  enabled: true,
};

/**
 * An instance, with defaults filled in: a random id, the first address of this machine that others can reach (null if it has
 * none), the present time, `DYNAMIC`, enabled; all else null. Throws BadArgumentsError, or PathError where name or id can't be a znode's name.
 */
export function serviceInstance<Payload = unknown>(init: ServiceInstanceInit<Payload>): ServiceInstance<Payload> {
  requireObject(init);
  const { uriSpec = null } = init;
  const instance: ServiceInstance<Payload> = {
    name: init.name,
    id: init.id ?? randomUUID(),
    address: init.address === undefined ? ownAddress() : init.address,
    port: init.port ?? null,
    sslPort: init.sslPort ?? null,
    payload: init.payload ?? (null as Payload),
    registrationTimeUTC: init.registrationTimeUTC ?? Date.now(),
    serviceType: init.serviceType ?? 'DYNAMIC',
    uriSpec: typeof uriSpec === 'string' ? parseUriSpec(uriSpec) : uriSpec,
    enabled: init.enabled ?? true,
  };
  checkInstance(instance);
  return instance;
}

/** Throws BadArgumentsError or PathError unless it can be registered. */
export function checkInstance(instance: ServiceInstance): asserts instance is TypedInstance {
  requireInstance(instance);
  const { address, registrationTimeUTC, serviceType, enabled, uriSpec } = instance;
  if (address !== null && typeof address !== 'string') throw bad('address', 'a string or null', address);
  checkPort(instance.port, 'port');
  checkPort(instance.sslPort, 'sslPort');
  if (!Number.isSafeInteger(registrationTimeUTC)) throw bad('registrationTimeUTC', 'whole ms', registrationTimeUTC);
  if (!serviceTypes.includes(serviceType as ServiceType))
    throw bad('serviceType', `one of ${serviceTypes.join(', ')}`, serviceType);
  if (typeof enabled !== 'boolean') throw bad('enabled', 'true or false', enabled);
  if (uriSpec !== null && !isUriSpec(uriSpec))
    throw bad('uriSpec', '{ parts: [{ value, variable }] } or null', uriSpec);
}

/** Throws unless it tells an instance from others. */
export function requireInstance(instance: Pick<ServiceInstance, 'name' | 'id'>): void {
  requireObject(instance);
  checkName(instance.name, 'name');
  checkName(instance.id, 'id');
}

/** What is missing is as where it is missing in the JSON. One that lacks nothing is itself, as what was read is known by that. */
export function completed(given: Pick<ServiceInstance, 'name' | 'id'> & Partial<ServiceInstance>): ServiceInstance {
  const missing = Object.entries(absent).filter(([key]) => given[key as keyof typeof absent] === undefined);
  return missing.length === 0
    ? (given as ServiceInstance)
    : { ...given, ...(Object.fromEntries(missing) as typeof absent) };
}

/** Throws unless a service or an instance may be called so. */
export function checkName(name: string, what: string): void {
  if (typeof name !== 'string' || name === '' || name.includes('/')) throw bad(what, 'a name without "/"', name);
  checkPath(`/${name}`, what);
}

function requireObject(instance: unknown): void {
  if (typeof instance === 'object' && instance !== null) return;
  throw new BadArgumentsError('BAD_ARGUMENTS', { message: `an instance must be an object, not ${String(instance)}` });
}

function checkPort(port: unknown, what: string): void {
  const isPort = Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535;
  if (port !== null && !isPort) throw bad(what, 'a whole number up to 65535, or null', port);
}

function isUriSpec({ parts }: UriSpec): boolean {
  return (
    Array.isArray(parts) && parts.every((part) => typeof part?.value === 'string' && typeof part.variable === 'boolean')
  );
}

/** As Curator takes it: neither loopback nor link-local. */
function ownAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/i.test(address))?.address ?? null;
}

function bad(what: string, wanted: string, given: unknown): BadArgumentsError {
  const shown = typeof given === 'string' ? JSON.stringify(given) : String(given);
  return new BadArgumentsError('BAD_ARGUMENTS', { message: `the instance's ${what} must be ${wanted}, not ${shown}` });
}
