import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { Health } from './health.ts'
import { methodsOf } from './methods.ts'
import { createReflection, ServerReflection, ServerReflectionAlpha } from './reflection.ts'
import { Dapr } from './runtime.ts'

const reflection = createReflection([Dapr, Health, ServerReflection, ServerReflectionAlpha])

type Asked = {
  case: 'fileByFilename' | 'fileContainingSymbol' | 'allExtensionNumbersOfType' | 'listServices'
  value: string
}

/** Asks as a client does: over the bytes of both generations, which must be the same. */
function ask(messageRequest: Asked, sent = new Set<string>()) {
  const [now, before] = [methodsOf(ServerReflection), methodsOf(ServerReflectionAlpha)].map(
    ({ serverReflectionInfo: { input, output } }) => {
      const request = input.decode(input.encode({ host: 'h', messageRequest }))
      const bytes = output.encode(reflection.answer(request, new Set(sent)) as object)
      return { bytes, answer: output.decode(bytes) }
    },
  )
  expect(now?.bytes).toEqual(before?.bytes)
  for (const name of namesOf(now!.answer)) sent.add(name)
  expect(now?.answer).toMatchObject({ validHost: 'h', originalRequest: { messageRequest } })
  return now!.answer
}

function namesOf({ messageResponse }: ReturnType<typeof ask>): string[] {
  if (messageResponse.case !== 'fileDescriptorResponse') return []
  return messageResponse.value.fileDescriptorProto.map(
    (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
  )
}

test('services are listed by name', () => {
  const { messageResponse } = ask({ case: 'listServices', value: '*' })
  expect(messageResponse.value).toMatchObject({
    service: [
      { name: 'dapr.proto.runtime.v1.Dapr' },
      { name: 'grpc.health.v1.Health' },
      { name: 'grpc.reflection.v1.ServerReflection' },
      { name: 'grpc.reflection.v1alpha.ServerReflection' },
    ],
  })
})

test('a file comes with everything that it needs', () => {
  const { messageResponse } = ask({ case: 'fileContainingSymbol', value: 'dapr.proto.runtime.v1.Dapr' })
  if (messageResponse.case !== 'fileDescriptorResponse') throw new Error(String(messageResponse.case))
  const file = messageResponse.value.fileDescriptorProto.map((bytes) =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  )
  expect(file[0]?.name).toBe('dapr/proto/runtime/v1/dapr.proto')
  // What it is made of can be put together again: nothing is missing.
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(file) }))
  expect(registry.getService('dapr.proto.runtime.v1.Dapr')?.methods).toHaveLength(72)
})

function inOrder<F extends { name: string; dependency: string[] }>(files: F[]): F[] {
  const done: F[] = []
  const add = (file: F | undefined) => {
    if (!file || done.includes(file)) return
    for (const name of file.dependency) add(files.find((other) => other.name === name))
    done.push(file)
  }
  files.forEach(add)
  return done
}

test.each([
  ['dapr.proto.runtime.v1.Dapr.GetState', 'dapr/proto/runtime/v1/dapr.proto'],
  ['dapr.proto.runtime.v1.GetStateRequest', 'dapr/proto/runtime/v1/state.proto'],
  ['dapr.proto.runtime.v1.GetStateRequest.key', 'dapr/proto/runtime/v1/state.proto'],
  ['dapr.proto.common.v1.StateOptions.StateConsistency', 'dapr/proto/common/v1/common.proto'],
  ['dapr.proto.common.v1.JobFailurePolicy.policy', 'dapr/proto/common/v1/common.proto'],
  ['google.protobuf.Any', 'google/protobuf/any.proto'],
])('%s is in %s', (symbol, file) => {
  expect(namesOf(ask({ case: 'fileContainingSymbol', value: symbol }))[0]).toBe(file)
})

test('a stream does not get a file twice that it did not ask for', () => {
  const sent = new Set<string>()
  const first = namesOf(ask({ case: 'fileByFilename', value: 'dapr/proto/runtime/v1/lock.proto' }, sent))
  expect(first).toEqual(['dapr/proto/runtime/v1/lock.proto'])
  const second = namesOf(ask({ case: 'fileByFilename', value: 'dapr/proto/runtime/v1/dapr.proto' }, sent))
  expect(second).toContain('dapr/proto/common/v1/common.proto')
  expect(second).not.toContain('dapr/proto/runtime/v1/lock.proto')
  expect(namesOf(ask({ case: 'fileByFilename', value: 'dapr/proto/runtime/v1/lock.proto' }, sent))).toEqual(
    first,
  )
})

test.each<Asked>([
  { case: 'fileByFilename', value: 'nothing.proto' },
  { case: 'fileContainingSymbol', value: 'dapr.proto.runtime.v1.Nothing' },
  { case: 'fileContainingSymbol', value: 'x'.repeat(100_000) },
  { case: 'allExtensionNumbersOfType', value: 'Nothing' },
])('what there is not is an error within the stream', (request) => {
  const { messageResponse } = ask(request)
  expect(messageResponse).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } })
  expect(JSON.stringify(messageResponse).length).toBeLessThan(400)
})

test('a message that is known has no extensions', () => {
  expect(
    ask({ case: 'allExtensionNumbersOfType', value: 'google.protobuf.Any' }).messageResponse,
  ).toMatchObject({
    case: 'allExtensionNumbersResponse',
    value: { baseTypeName: 'google.protobuf.Any', extensionNumber: [] },
  })
})

test('an empty question and one for an extension are errors, too', () => {
  const { input } = methodsOf(ServerReflection).serverReflectionInfo
  const empty = reflection.answer(input.decode(new Uint8Array()), new Set())
  expect(empty.messageResponse).toMatchObject({ case: 'errorResponse', value: { errorCode: 3 } })
  const value = { containingType: 'a.B', extensionNumber: 4 }
  const bytes = input.encode({ messageRequest: { case: 'fileContainingExtension', value } })
  const extension = reflection.answer(input.decode(bytes), new Set())
  expect(extension.messageResponse).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } })
})
