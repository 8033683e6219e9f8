import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createFileRegistry, fromBinary, type DescFile } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { expect, test } from 'vitest'
import { factsOf } from './facts.ts'

const require = createRequire(import.meta.url)
const folder = dirname(import.meta.dirname)

const ours = await generatedFiles()

async function generatedFiles(): Promise<DescFile[]> {
  const found: DescFile[] = []
  for (const path of globSync('src/generated/**/*.ts', { cwd: folder }).sort()) {
    const loaded = (await import(join(folder, path))) as Record<string, unknown>
    found.push(...filesIn(loaded))
  }
  return found
}

function filesIn(loaded: Record<string, unknown>): DescFile[] {
  return Object.values(loaded).filter(
    (value) => (value as { kind?: unknown } | null)?.kind === 'file',
  ) as DescFile[]
}

function merged(files: readonly DescFile[]): Map<string, string> {
  return new Map(files.flatMap((file) => [...factsOf(file)]))
}

/** What the genuine files say and ours do not, or say otherwise. */
function differences(genuine: Map<string, string>): string[] {
  const own = merged(ours)
  return [...genuine].flatMap(([name, fact]) => {
    if (own.get(name) === fact || older.includes(name)) return []
    return [`${name}: ${fact} (ours: ${own.get(name) ?? 'absent'})`]
  })
}

// The SDK's files are older: `data` of a job had no presence, and requests to the operator named a pod.
const older = [
  'field dapr.proto.operator.v1.ComponentUpdateRequest.podName',
  'field dapr.proto.operator.v1.GetConfigurationRequest.podName',
  'field dapr.proto.operator.v1.HTTPEndpointUpdateRequest.pod_name',
  'field dapr.proto.operator.v1.ListComponentsRequest.podName',
  'field dapr.proto.operator.v1.ListSubscriptionsRequest.podName',
  'field dapr.proto.operator.v1.SubscriptionUpdateRequest.podName',
  'field dapr.proto.runtime.v1.Job.data',
]

test('the .proto files that the official SDK ships say the same', () => {
  const sdk = dirname(require.resolve('@dapr/dapr/package.json'))
  const image = execFileSync(
    process.execPath,
    [require.resolve('@bufbuild/buf/bin/buf'), 'build', join(sdk, 'proto'), '-o', '-#format=binpb'],
    { maxBuffer: 16 * 1024 * 1024 },
  )
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image))
  const files = [...registry.files].filter(({ proto }) => proto.package.startsWith('dapr.'))
  const genuine = merged(files)
  expect([...genuine.keys()].filter((name) => name.startsWith('method ')).length).toBeGreaterThan(80)
  expect(genuine.size).toBeGreaterThan(800)
  expect(differences(genuine)).toEqual([])
})

test('the descriptors in the generated code of the official SDK say the same', () => {
  const paths = ['runtime/v1/dapr', 'runtime/v1/appcallback', 'common/v1/common']
  const files = paths.flatMap((path) => filesIn(require(`@dapr/dapr/proto/dapr/proto/${path}_pb.js`)))
  const genuine = merged(files)
  expect(files).toHaveLength(3)
  expect(genuine.size).toBeGreaterThan(300)
  expect(differences(genuine)).toEqual([])
})

test('the descriptor of google.rpc.Status in another library says the same', () => {
  const sdk = createRequire(require.resolve('@dapr/dapr/package.json'))
  const connect = dirname(dirname(dirname(sdk.resolve('@connectrpc/connect'))))
  const files = filesIn(require(join(connect, 'dist/cjs/protocol-grpc/gen/status_pb.js')))
  expect(files).toHaveLength(1)
  expect(differences(merged(files))).toEqual([])
})

// For what no package at hand carries: these are the sums of facts that were compared with the genuine files. A
// change of one means that the wire changes; compare again before you write a new sum.
test.each([
  ['dapr.proto.common.v1', '1600999cc63effcd'],
  ['dapr.proto.components.v1', 'e32bb46028f14971'],
  ['dapr.proto.internals.v1', '9d1bde21f6d5e0f5'],
  ['dapr.proto.operator.v1', '75f0a6c7306f063a'],
  ['dapr.proto.placement.v1', 'bee05407d337e168'],
  ['dapr.proto.runtime.v1', '0cb2a8211b420c35'],
  ['dapr.proto.scheduler.v1', 'a6f395f01a6edd67'],
  ['dapr.proto.sentry.v1', '2814488a68fee8eb'],
  ['google.rpc', 'bbc219c3da958e85'],
  ['grpc.health.v1', '7f3ef6625fa83d8a'],
  ['grpc.reflection.v1', '6c07b7ff0f795a0e'],
  ['grpc.reflection.v1alpha', '73aa2ce8d9015f22'],
])('nothing of %s has changed on the wire', (name, sum) => {
  const facts = [...merged(ours.filter(({ proto }) => proto.package === name))]
    .map((fact) => fact.join(' '))
    .sort()
  expect(facts.length).toBeGreaterThan(0)
  expect(createHash('sha256').update(facts.join('\n')).digest('hex').slice(0, 16)).toBe(sum)
})
