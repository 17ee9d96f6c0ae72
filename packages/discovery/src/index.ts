export type { RecipeOptions } from '@zookit/recipe-core';
export { buildUri } from './build-uri.ts';
export { JavaDouble } from './json/java-double.ts';
export type { ServiceCache } from './service-cache.ts';
export {
  type InstanceName,
  ServiceDiscovery,
  type ServiceDiscoveryEvents,
  type ServiceDiscoveryOptions,
} from './service-discovery.ts';
export {
  type ServiceInstance,
  type ServiceInstanceInit,
  type ServiceType,
  serviceInstance,
} from './service-instance.ts';
export type { ProviderOptions, ServiceProvider } from './service-provider.ts';
export type { InstancesChange, InvalidInstance, ServiceWatchEvents } from './service-watch.ts';
export { type Strategy, type StrategyName, weighted } from './strategies.ts';
export { parseUriSpec, type UriPart, type UriSpec } from './uri-spec.ts';
