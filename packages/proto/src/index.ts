/**
 * What is made with messages: tables of methods, bytes, JSON. The messages themselves are behind the sub-paths
 * (`@outrigger/proto/runtime`), so that a process loads only those that it needs.
 */
export { create, fromBinary, isMessage, toBinary } from '@bufbuild/protobuf'
export type {
  DescMessage,
  DescService,
  JsonObject,
  Message,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf'
export { codecOf, methodsOf, pathsOf } from './methods.ts'
export type { Method, MethodKind, MessageCodec, Methods } from './methods.ts'
