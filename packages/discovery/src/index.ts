export type { RecipeOptions } from '@zookit/recipe-core';
export { buildUri } from './build-uri.ts';
export { JavaDouble } from './json/java-double.ts';
export {
  type ServiceInstance,
  type ServiceInstanceInit,
  type ServiceType,
  serviceInstance,
} from './service-instance.ts';
export { parseUriSpec, type UriPart, type UriSpec } from './uri-spec.ts';
