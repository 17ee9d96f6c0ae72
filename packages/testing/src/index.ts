export { FaultProxy, type FaultProxyOptions } from './fault-proxy/fault-proxy.ts';
export type { FaultOpcode } from './fault-proxy/opcodes.ts';
export type { CaughtFrame, FaultRule } from './fault-proxy/rules.ts';
export type { FaultProxyTarget } from './fault-proxy/target.ts';
export { RealServerStartError, RealServerUnavailableError } from './real-server/errors.ts';
export type { RealServerMember } from './real-server/member.ts';
export { RealServer, type RealServerOptions } from './real-server/real-server.ts';
export { fetchRelease, REAL_SERVER_VERSIONS, type Release } from './real-server/release.ts';
export type { RealServerTls, ServerConfig } from './real-server/server-files.ts';
export type { Acl, Identity } from './test-server/acl.ts';
export type { ServerClock, ServerTimer } from './test-server/clock.ts';
export type { TestServerOptions } from './test-server/ensemble.ts';
export type { NodeView, WatchView } from './test-server/inspection.ts';
export { memorySocketPair } from './test-server/memory-socket.ts';
export type { NodeKind } from './test-server/node.ts';
export type {
  Interceptor,
  ObservedOperation,
  ObservedRequest,
  ServerLogEntry,
  Verdict,
} from './test-server/observe.ts';
export { type ProfileName, profiles, type ServerProfile } from './test-server/profile.ts';
export { type SessionView, TestServer, type TestServerMember } from './test-server/test-server.ts';
