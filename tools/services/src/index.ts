export { describeWithPython, describeWithService } from './describe.ts'
export type { Place, ServiceDefinition } from './definition.ts'
export {
  findService,
  missingReason,
  serviceAvailable,
  serviceDefinition,
  serviceNames,
  type ServiceName,
} from './registry.ts'
export { startService, type Service, type ServiceOptions } from './start.ts'
export { say, startRedisCluster, startRedisSentinel, type RedisGroup } from './redis-groups.ts'
export { Browser, type Page } from './browser.ts'
export { oidcAudience, startOidcProvider, type OidcClient, type OidcProvider } from './oidc.ts'
export type { PythonEnvironment } from './python.ts'
