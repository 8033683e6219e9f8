import { toBinary } from '@bufbuild/protobuf'
import type { DescFile, DescMessage, DescService } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { ServerReflectionRequest } from './generated/grpc/reflection/v1/reflection_pb.ts'
import type { ServerReflectionRequest as ServerReflectionRequestAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts'

export { ServerReflection } from './generated/grpc/reflection/v1/reflection_pb.ts'
export { ServerReflection as ServerReflectionAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts'

const notFound = 5
const invalidArgument = 3

type Request = ServerReflectionRequest | ServerReflectionRequestAlpha

/** A ServerReflectionResponse as a plain object, the same for both generations. */
export interface ReflectionAnswer<R> {
  readonly validHost: string
  readonly originalRequest: R
  readonly messageResponse:
    | { readonly case: 'fileDescriptorResponse'; readonly value: { fileDescriptorProto: Uint8Array[] } }
    | {
        readonly case: 'allExtensionNumbersResponse'
        readonly value: { baseTypeName: string; extensionNumber: number[] }
      }
    | { readonly case: 'listServicesResponse'; readonly value: { service: { name: string }[] } }
    | { readonly case: 'errorResponse'; readonly value: { errorCode: number; errorMessage: string } }
}

export interface Reflection {
  /**
   * Answers one message of a stream. `sent` belongs to the stream: files that the client has are not sent again,
   * unless it asks for one by name or symbol.
   */
  answer<R extends Request>(request: R, sent: Set<string>): ReflectionAnswer<R>
}

/** What a server tells about the services that it offers. Indexes are made at the first question. */
export function createReflection(services: readonly DescService[]): Reflection {
  const names = services.map(({ typeName }) => typeName).sort()
  let made: Index | undefined
  const index = () => (made ??= indexOf(services))
  const bytes = new Map<DescFile, Uint8Array>()

  const serialised = (file: DescFile): Uint8Array => {
    let known = bytes.get(file)
    if (known === undefined) bytes.set(file, (known = toBinary(FileDescriptorProtoSchema, file.proto)))
    return known
  }

  const respond = (
    { messageRequest }: Request,
    sent: Set<string>,
  ): ReflectionAnswer<Request>['messageResponse'] => {
    switch (messageRequest.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: names.map((name) => ({ name })) } }
      case 'fileByFilename': {
        const file = index().files.get(messageRequest.value)
        return file ? files(file, sent) : missing('file', messageRequest.value)
      }
      case 'fileContainingSymbol': {
        const file = index().symbols.get(messageRequest.value)
        return file ? files(file, sent) : missing('symbol', messageRequest.value)
      }
      case 'allExtensionNumbersOfType': {
        const type = messageRequest.value
        if (!index().messages.has(type)) return missing('message', type)
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: type, extensionNumber: [] } }
      }
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = messageRequest.value
        return missing('extension', `${extensionNumber} of ${containingType}`)
      }
      default:
        return failure(invalidArgument, 'the request asks for nothing')
    }
  }

  const files = (file: DescFile, sent: Set<string>): ReflectionAnswer<Request>['messageResponse'] => {
    sent.add(file.proto.name)
    const found = [file]
    for (const next of found) {
      for (const dependency of next.dependencies) {
        if (sent.has(dependency.proto.name)) continue
        sent.add(dependency.proto.name)
        found.push(dependency)
      }
    }
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: found.map(serialised) } }
  }

  return {
    answer: (request, sent) => ({
      validHost: request.host,
      originalRequest: request,
      messageResponse: respond(request, sent),
    }),
  }
}

interface Index {
  readonly files: ReadonlyMap<string, DescFile>
  /** Full names of everything that has one, and where it is. */
  readonly symbols: ReadonlyMap<string, DescFile>
  readonly messages: ReadonlySet<string>
}

function indexOf(services: readonly DescService[]): Index {
  const files = new Map<string, DescFile>()
  const symbols = new Map<string, DescFile>()
  const messages = new Set<string>()
  const addMessage = (message: DescMessage) => {
    const { file, typeName } = message
    messages.add(typeName)
    symbols.set(typeName, file)
    for (const { name } of [...message.fields, ...message.oneofs]) symbols.set(`${typeName}.${name}`, file)
    for (const { typeName: name } of message.nestedEnums) symbols.set(name, file)
    for (const nested of message.nestedMessages) addMessage(nested)
  }
  const addFile = (file: DescFile) => {
    if (files.has(file.proto.name)) return
    files.set(file.proto.name, file)
    for (const { typeName } of file.enums) symbols.set(typeName, file)
    for (const message of file.messages) addMessage(message)
    for (const { typeName, methods } of file.services) {
      symbols.set(typeName, file)
      for (const { name } of methods) symbols.set(`${typeName}.${name}`, file)
    }
    for (const dependency of file.dependencies) addFile(dependency)
  }
  for (const { file } of services) addFile(file)
  return { files, symbols, messages }
}

function missing(what: string, name: string): ReflectionAnswer<Request>['messageResponse'] {
  return failure(notFound, `there is no ${what} ${name.slice(0, 200)}`)
}

function failure(errorCode: number, errorMessage: string): ReflectionAnswer<Request>['messageResponse'] {
  return { case: 'errorResponse', value: { errorCode, errorMessage } }
}
