import type { ServiceInstance } from './service-instance.ts';
import type { UriPart } from './uri-spec.ts';

/**
 * The URI of an instance; empty when it has no `uriSpec`. Variables: `scheme` (https when `sslPort` is set, else http), `name`, `id`,
 * `address`, `port`, `ssl-port`, `registration-time-utc`, `service-type` (in lower case), and those given here, which go first.
 * What is unknown or not set is left out, as in Curator.
 */
export function buildUri(instance: ServiceInstance, variables: Readonly<Record<string, unknown>> = {}): string {
  const known: Record<string, unknown> = {
    '[': '{',
    ']': '}',
    scheme: instance.sslPort === null ? 'http' : 'https',
    name: instance.name,
    id: instance.id,
    address: instance.address,
    port: instance.port,
    'ssl-port': instance.sslPort,
    'registration-time-utc': instance.registrationTimeUTC,
    'service-type': instance.serviceType?.toLowerCase(),
    ...variables,
  };
  const textOf = ({ value, variable }: UriPart): string =>
    variable ? String((Object.hasOwn(known, value) ? known[value] : null) ?? '') : value;
  return (instance.uriSpec?.parts ?? []).map(textOf).join('');
}
