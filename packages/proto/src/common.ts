export * from './generated/dapr/proto/common/v1/common_pb.ts'
