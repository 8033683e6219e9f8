/** What an application serves for its sidecar, and nothing else of the runtime's messages. */
export * from './generated/dapr/proto/runtime/v1/appcallback_pb.ts'
