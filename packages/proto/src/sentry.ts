export * from './generated/dapr/proto/sentry/v1/sentry_pb.ts'
