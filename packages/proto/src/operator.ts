export * from './generated/dapr/proto/operator/v1/operator_pb.ts'
export * from './generated/dapr/proto/operator/v1/resource_pb.ts'
