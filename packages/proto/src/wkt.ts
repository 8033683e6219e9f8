/** The well-known types that messages of this package use. */
export {
  AnySchema,
  anyIs,
  anyPack,
  anyUnpack,
  DurationSchema,
  durationFromMs,
  durationMs,
  EmptySchema,
  StringValueSchema,
  StructSchema,
  TimestampSchema,
  timestampDate,
  timestampFromDate,
  timestampFromMs,
  timestampMs,
  ValueSchema,
} from '@bufbuild/protobuf/wkt'
export type { Any, Duration, Empty, StringValue, Struct, Timestamp, Value } from '@bufbuild/protobuf/wkt'
