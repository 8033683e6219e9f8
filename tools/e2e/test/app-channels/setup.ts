import { fields } from '@outrigger/kit'
import { Dapr } from '@outrigger/proto/runtime'
import { callsOf, type CallsOf } from '@outrigger/proto/call'
import { createRuntime, type CreateRuntimeOptions, type Runtime } from '@outrigger/runtime'
import { defineBinding, type Binding, type BindingReply, type DeliverEvent } from '@outrigger/spec'
import { recordingLogger, type RecordingLogger } from '@outrigger/testkit'
import { GrpcChannel } from '@outrigger/wire/grpc'
import { createHttp2Client } from '@outrigger/wire/http2'
import { onTestFinished } from 'vitest'

/** A source of events that a test emits, named `ticks`. */
export class Source implements Binding {
  readonly capabilities: ReadonlySet<'input' | 'output'> = new Set(['input'])
  #deliver: DeliverEvent | undefined

  get beingRead(): boolean {
    return this.#deliver !== undefined
  }

  async read(deliver: DeliverEvent) {
    this.#deliver = deliver
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    return { ended: promise, close: async () => resolve(undefined) }
  }

  emit(data: string): Promise<BindingReply> {
    return this.#deliver!({ data: Buffer.from(data), metadata: {} }, {})
  }

  async close(): Promise<void> {}
}

export interface Started {
  readonly runtime: Runtime
  readonly source: Source
  readonly logger: RecordingLogger
  readonly url: string
  readonly grpcPort: number
  readonly dapr: CallsOf<typeof Dapr>
}

/** A runtime that listens, in this process, until the test ends. */
export async function startRuntime(options: Partial<CreateRuntimeOptions>): Promise<Started> {
  const source = new Source()
  const definition = defineBinding({
    type: 'bindings.fake',
    title: 'Fake',
    versions: { v1: { metadata: fields({}), capabilities: ['input'], create: async () => source } },
  })
  const logger = recordingLogger()
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    httpPort: 0,
    grpcPort: 0,
    listenAddresses: ['127.0.0.1'],
    definitions: [definition],
    resources: [
      {
        apiVersion: 'dapr.io/v1alpha1',
        kind: 'Component',
        metadata: { name: 'ticks' },
        spec: { type: 'bindings.fake', version: 'v1' },
      },
    ],
    logger,
    ...options,
  })
  await runtime.start()
  onTestFinished(async () => void (await runtime.stop()))
  const grpcPort = runtime.addresses.grpcPort!
  const client = createHttp2Client()
  onTestFinished(() => client.close())
  const channel = new GrpcChannel({ origin: `http://127.0.0.1:${grpcPort}`, client })
  return {
    runtime,
    source,
    logger,
    url: `http://127.0.0.1:${runtime.addresses.http[0]!.port}`,
    grpcPort,
    dapr: callsOf(Dapr, channel),
  }
}
