// An application that consumes topics, to be killed at will. It says on stdout what it got and what became of it.
// PROTOCOL is http or grpc. SUBSCRIPTIONS is what it answers when it is asked for them, `orders` without it. With HOLD=1
// it never answers; with WORK_MS it takes so long for each call. A message may wish for its fate: see `Message`.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as grpc from '@grpc/grpc-js'
import { methodsOf, type Method } from '@outrigger/proto'
import { AppCallback } from '@outrigger/proto/appcallback'

interface Message {
  readonly id: string
  /** Is dropped, always asked for again, or asked for again once in each life of the application. */
  readonly fate?: 'drop' | 'retry' | 'later'
}

interface TopicSubscription {
  readonly pubsubname: string
  readonly topic: string
  readonly route: string
  readonly deadLetterTopic?: string
  readonly bulkSubscribe?: {
    readonly enabled: boolean
    readonly maxMessagesCount?: number
    readonly maxAwaitDurationMs?: number
  }
}

type Status = 'SUCCESS' | 'RETRY' | 'DROP'

const hold = process.env['HOLD'] === '1'
const workMs = Number(process.env['WORK_MS'] ?? 0)
const port = Number(process.env['PORT'])
const subscriptions = JSON.parse(
  process.env['SUBSCRIPTIONS'] ?? '[{"pubsubname":"pubsub","topic":"orders","route":"/orders"}]',
) as readonly TopicSubscription[]
const seen = new Set<string>()
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const listening = (): void => say('listening')

/** Written before the answer: what is answered is done. */
async function take(topic: string, messages: readonly Message[]): Promise<readonly Status[]> {
  if (messages.length > 1) say(`batch ${messages.length}`)
  for (const { id } of messages) say(topic === 'dead' ? `dead ${id}` : `got ${id}`)
  if (hold) await new Promise(() => {})
  if (workMs > 0) await sleep(workMs)
  return messages.map(({ id, fate }) => {
    if (topic === 'dead') return 'SUCCESS'
    if (fate === 'drop') return 'DROP'
    if (fate === 'retry' || (fate === 'later' && !seen.has(id))) {
      seen.add(id)
      return 'RETRY'
    }
    say(`done ${id}`)
    return 'SUCCESS'
  })
}

interface HttpEvent {
  readonly data: Message
  readonly entries?: readonly { readonly entryId: string; readonly event: { readonly data: Message } }[]
}

function serveHttp(): void {
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (text += chunk))
    const answer = async (): Promise<unknown> => {
      if (request.url === '/dapr/subscribe') return subscriptions
      if (request.method !== 'POST') return undefined
      const { data, entries } = JSON.parse(text) as HttpEvent
      const topic = request.url!.slice(1)
      if (entries === undefined) return { status: (await take(topic, [data]))[0] }
      const taken = await take(
        topic,
        entries.map(({ event }) => event.data),
      )
      return { statuses: entries.map(({ entryId }, index) => ({ entryId, status: taken[index] })) }
    }
    request.on('end', async () => {
      const body = await answer()
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(body === undefined ? '' : JSON.stringify(body))
    })
  })
  server.listen(port, '127.0.0.1', listening)
}

interface GrpcBulk {
  readonly topic: string
  readonly entries: readonly {
    readonly entryId: string
    readonly event: { readonly value: { readonly data: Uint8Array } }
  }[]
}

function serveGrpc(): void {
  const methods = methodsOf(AppCallback) as unknown as Readonly<Record<string, Method>>
  const codes: Readonly<Record<Status, number>> = { SUCCESS: 0, RETRY: 1, DROP: 2 }
  const read = (data: Uint8Array): Message => JSON.parse(Buffer.from(data).toString()) as Message
  const handlers: Readonly<Record<string, (request: never) => Promise<unknown>>> = {
    listTopicSubscriptions: async () => ({
      subscriptions: subscriptions.map(
        ({ pubsubname: pubsubName, topic, deadLetterTopic, bulkSubscribe }) => ({
          pubsubName,
          topic,
          deadLetterTopic: deadLetterTopic ?? '',
          bulkSubscribe: bulkSubscribe && {
            enabled: bulkSubscribe.enabled,
            maxMessagesCount: bulkSubscribe.maxMessagesCount ?? 0,
            maxAwaitDurationMs: bulkSubscribe.maxAwaitDurationMs ?? 0,
          },
        }),
      ),
    }),
    onTopicEvent: async ({ topic, data }: { topic: string; data: Uint8Array }) => ({
      status: codes[(await take(topic, [read(data)]))[0]!],
    }),
    onBulkTopicEvent: async ({ topic, entries }: GrpcBulk) => {
      const taken = await take(
        topic,
        entries.map(({ event }) => read(event.value.data)),
      )
      return { statuses: entries.map(({ entryId }, index) => ({ entryId, status: codes[taken[index]!] })) }
    },
  }
  const definition: Record<string, unknown> = {}
  const implementation: Record<string, unknown> = {}
  for (const [name, handle] of Object.entries(handlers)) {
    const { path, input, output } = methods[name]!
    definition[name] = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: never) => Buffer.from(input.encode(message)),
      requestDeserialize: (bytes: Buffer) => input.decode(bytes),
      responseSerialize: (message: never) => Buffer.from(output.encode(message)),
      responseDeserialize: (bytes: Buffer) => output.decode(bytes),
    }
    type Done = (error: null, answer: unknown) => void
    implementation[name] = async (call: { request: never }, done: Done) =>
      done(null, await handle(call.request))
  }
  const server = new grpc.Server()
  server.addService(definition as never, implementation as never)
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), listening)
}

if (process.env['PROTOCOL'] === 'grpc') serveGrpc()
else serveHttp()
