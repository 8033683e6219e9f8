import type { EventEmitter } from 'node:events'
import type { Writable } from 'node:stream'
import * as grpc from '@grpc/grpc-js'
import { answer, first, one, type Context, type States } from './answer.ts'
import {
  decodeBytes,
  encodeBytes,
  failMessage,
  methods,
  pathOf,
  statusBytes,
  type Address,
  type Call,
  type Caller,
  type CallOptions,
  type Certificate,
  type Method,
  type Outcome,
  type Server,
} from './peer.ts'

const decode = (bytes: Buffer): Uint8Array => decodeBytes(bytes)

const definition = Object.fromEntries(
  methods.map((name) => [
    name,
    {
      path: pathOf(name),
      requestStream: name === 'ClientStream' || name === 'Bidi',
      responseStream: name === 'ServerStream' || name === 'Bidi',
      requestSerialize: encodeBytes,
      requestDeserialize: decode,
      responseSerialize: encodeBytes,
      responseDeserialize: decode,
    },
  ]),
)

type Bytes = Uint8Array
type StreamCall = grpc.ServerWritableStream<Bytes, Bytes> | grpc.ServerDuplexStream<Bytes, Bytes>

export async function serveGrpcJs(certificate?: Certificate): Promise<Server> {
  const states: States = new Map()
  const server = new grpc.Server()
  const single =
    (name: Method) =>
    (
      call: grpc.ServerUnaryCall<Bytes, Bytes> | grpc.ServerReadableStream<Bytes, Bytes>,
      done: grpc.sendUnaryData<Bytes>,
    ): void => {
      const trailers = new grpc.Metadata()
      const requests = 'request' in call ? one(call.request) : call
      first(answer(name, requests as AsyncIterable<Bytes>, contextOf(states, call, trailers))).then(
        (message) => done(null, message, trailers),
        (error: grpc.ServiceError) => done(error),
      )
    }
  const several = (name: Method) => (call: StreamCall) => {
    const trailers = new grpc.Metadata()
    const requests = 'request' in call ? one(call.request) : (call as AsyncIterable<Bytes>)
    send(call, answer(name, requests, contextOf(states, call, trailers))).then(
      () => call.end(trailers),
      (error: Error) => call.emit('error', error),
    )
  }
  server.addService(definition, {
    Unary: single('Unary'),
    ClientStream: single('ClientStream'),
    ServerStream: several('ServerStream'),
    Bidi: several('Bidi'),
  })
  const credentials =
    certificate === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(certificate.cert), private_key: Buffer.from(certificate.key) },
        ])
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { port, close: async () => server.forceShutdown() }
}

function contextOf(
  states: States,
  call: StreamCall | grpc.ServerUnaryCall<Bytes, Bytes> | grpc.ServerReadableStream<Bytes, Bytes>,
  trailers: grpc.Metadata,
): Context {
  const controller = new AbortController()
  const emitter: EventEmitter = call
  emitter.on('cancelled', () => controller.abort())
  return {
    states,
    signal: controller.signal,
    get: (name) => {
      const value = call.metadata.get(name)[0]
      return typeof value === 'object' ? value.toString('base64') : value
    },
    setInitial: (name, value) => {
      const initial = new grpc.Metadata()
      initial.set(name, value)
      call.sendMetadata(initial)
    },
    setTrailer: (name, base64) => trailers.set(name, Buffer.from(base64, 'base64')),
    failure: (code) => {
      const metadata = new grpc.Metadata()
      metadata.set('grpc-status-details-bin', statusBytes(code))
      return Object.assign(new Error(failMessage), { code, details: failMessage, metadata })
    },
  }
}

async function send(call: StreamCall, messages: AsyncIterable<Bytes>): Promise<void> {
  for await (const message of messages) {
    if (call.cancelled) return
    if (!call.write(message)) await ready(call, 'cancelled')
  }
}

function ready(stream: EventEmitter, over: string): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off(over, done)
      resolve()
    }
    stream.on('drain', done)
    stream.on(over, done)
  })
}

export function callGrpcJs({ port, certificate }: Address): Caller {
  const credentials =
    certificate === undefined
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createSsl(Buffer.from(certificate.cert))
  const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 }
  const gzip = { ...options, 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip }
  const plain = new grpc.Client(`127.0.0.1:${port}`, credentials, options)
  const packed = new grpc.Client(`127.0.0.1:${port}`, credentials, gzip)
  return {
    close: () => {
      plain.close()
      packed.close()
    },
    call: (name, requests, own = {}) => start(own.gzip === true ? packed : plain, name, requests, own),
  }
}

function start(
  client: grpc.Client,
  name: Method | 'Nothing',
  requests: AsyncIterable<Bytes>,
  { metadata = {}, timeoutMs, signal }: CallOptions,
): Call {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
  const sent = new grpc.Metadata()
  for (const [key, value] of Object.entries(metadata))
    sent.set(key, typeof value === 'string' ? value : Buffer.from(value))
  const options: grpc.CallOptions = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }
  const path = pathOf(name)
  let initial: string | undefined
  const watch = (call: grpc.ClientUnaryCall | grpc.ClientReadableStream<Bytes>): void => {
    if (signal?.aborted === true) call.cancel()
    else signal?.addEventListener('abort', () => call.cancel(), { once: true })
    call.on('metadata', (fields) => (initial = fields.get('x-echo')[0] as string | undefined))
    call.on('status', (status) => {
      const trailer = status.metadata.get('x-echo-bin')[0] as Buffer | undefined
      const details = status.metadata.get('grpc-status-details-bin')[0] as Buffer | undefined
      resolve({ code: status.code, message: status.details, details, initial, trailer })
    })
  }
  async function* messages(): AsyncGenerator<Bytes> {
    if (name === 'ServerStream' || name === 'Bidi') {
      const call =
        name === 'Bidi'
          ? client.makeBidiStreamRequest(path, encodeBytes, decode, sent, options)
          : client.makeServerStreamRequest(path, encodeBytes, decode, await first(requests), sent, options)
      watch(call)
      if ('write' in call) void pump(call as unknown as Writable, requests)
      try {
        yield* call as AsyncIterable<Bytes>
      } catch {
        // The status says it.
      }
      return
    }
    const { promise: reply, resolve: answered } = Promise.withResolvers<Bytes | undefined>()
    const done = (_: grpc.ServiceError | null, value?: Bytes): void => answered(value)
    if (name === 'ClientStream') {
      const call = client.makeClientStreamRequest(path, encodeBytes, decode, sent, options, done)
      watch(call)
      void pump(call as unknown as Writable, requests)
    } else
      watch(client.makeUnaryRequest(path, encodeBytes, decode, await first(requests), sent, options, done))
    const message = await reply
    if (message !== undefined) yield message
  }
  return { messages: messages(), outcome }
}

/** Sends until all is sent or the call is over. */
async function pump(call: Writable, requests: AsyncIterable<Bytes>): Promise<void> {
  let over = false
  call.on('status', () => (over = true))
  call.on('error', () => {})
  for await (const request of requests) {
    if (over) return
    if (!call.write(request)) await ready(call, 'status')
  }
  call.end()
}
