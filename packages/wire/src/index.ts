export { onBulk, shedBodies } from './bulk.ts'
export { ChunkList } from './chunk-list.ts'
export { createClient } from './client.ts'
export { createServer } from './server.ts'
export { reasonPhrase } from './http1/status.ts'
export { isWireError, WireError } from './error.ts'
export type { WireErrorCode, WireErrorOptions } from './error.ts'
export { Fields } from './fields.ts'
export type { FieldsInit, FlatFields } from './fields.ts'
export type {
  Body,
  BodyWriter,
  BoundAddress,
  Client,
  ClientOptions,
  ClientRequest,
  ClientResponse,
  ClientTimeouts,
  HandedOver,
  Handler,
  ListenAddress,
  Server,
  ServerLimits,
  ServerOptions,
  ServerRequest,
  ServerResponse,
  ServerStats,
  TlsOptions,
  Upgrade,
} from './types.ts'
