export * from './generated/dapr/proto/placement/v1/placement_pb.ts'
export * from './generated/dapr/proto/placement/v1/state_pb.ts'
