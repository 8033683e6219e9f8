export * from './generated/dapr/proto/scheduler/v1/scheduler_pb.ts'
