// An application that consumes the topic `orders`, to be killed at will. It says on stdout what it got and what it is
// done with. With HOLD=1 it never answers; PROTOCOL is http or grpc.
import { createServer } from 'node:http'
import * as grpc from '@grpc/grpc-js'
import { methodsOf, type Method } from '@outrigger/proto'
import { AppCallback } from '@outrigger/proto/appcallback'

const hold = process.env['HOLD'] === '1'
const port = Number(process.env['PORT'])
const listening = (): void => void process.stdout.write('listening\n')

/** Written before the answer: what is answered is done. */
function take(id: string, answer: () => void): void {
  process.stdout.write(`got ${id}\n`)
  if (hold) return
  process.stdout.write(`done ${id}\n`)
  answer()
}

function serveHttp(): void {
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      if (request.url === '/dapr/subscribe') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify([{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }]))
      } else if (request.url === '/orders') {
        const { data } = JSON.parse(text) as { data: { id: string } }
        take(data.id, () => response.end())
      } else {
        response.statusCode = 404
        response.end()
      }
    })
  })
  server.listen(port, '127.0.0.1', listening)
}

function serveGrpc(): void {
  const methods = methodsOf(AppCallback) as unknown as Readonly<Record<string, Method>>
  type Handle = (call: { request: unknown }, done: (error: null, answer: unknown) => void) => void
  const handlers: Readonly<Record<string, Handle>> = {
    listTopicSubscriptions: (_, done) =>
      done(null, { subscriptions: [{ pubsubName: 'pubsub', topic: 'orders' }] }),
    onTopicEvent: ({ request }, done) => {
      const { data } = request as { data: Uint8Array }
      const { id } = JSON.parse(Buffer.from(data).toString()) as { id: string }
      take(id, () => done(null, {}))
    },
  }
  const definition = Object.fromEntries(
    Object.keys(handlers).map((name) => {
      const { path, input, output } = methods[name]!
      const codec = {
        requestSerialize: (message: never) => Buffer.from(input.encode(message)),
        requestDeserialize: (bytes: Buffer) => input.decode(bytes),
        responseSerialize: (message: never) => Buffer.from(output.encode(message)),
        responseDeserialize: (bytes: Buffer) => output.decode(bytes),
      }
      return [name, { path, requestStream: false, responseStream: false, ...codec }]
    }),
  )
  const server = new grpc.Server()
  server.addService(definition as never, handlers as never)
  server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), listening)
}

if (process.env['PROTOCOL'] === 'grpc') serveGrpc()
else serveHttp()
