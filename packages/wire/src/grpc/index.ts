/** gRPC on whatever carries HTTP requests with trailers: HTTP/2. */
export { GrpcChannel, type CallOptions, type GrpcChannelOptions } from './client.ts'
export { decodeBinary, encodeBinary, isMetadata as isMetadataName } from './metadata.ts'
export { rawCodec, type Codec, type GrpcMethod, type MethodKind } from './method.ts'
export { createGrpcProxy, type GrpcProxyOptions, type ProxyTarget } from './proxy.ts'
export { createGrpcHandler, type GrpcRoute, type GrpcServerOptions, type ServerCall } from './server.ts'
export {
  decodeMessage,
  encodeMessage,
  GrpcError,
  grpcStatus,
  grpcStatusName,
  isGrpcError,
  statusOfHttp,
  type GrpcErrorOptions,
  type GrpcStatusCode,
  type GrpcStatusName,
} from './status.ts'
export { deadlineOf } from './timeout.ts'
