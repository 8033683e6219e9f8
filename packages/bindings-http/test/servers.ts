import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'

/** Starts a server on loopback that ends with the test, and returns its URL. */
export async function serve(listener: RequestListener, tls?: TlsOptions): Promise<string> {
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

/** What a server was sent. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers with what it was sent, as JSON. */
export const echo: RequestListener = (request, response) => {
  void bodyOf(request).then((body) => {
    const seen: Seen = { method: request.method!, url: request.url!, headers: request.headers, body }
    response.setHeader('content-type', 'application/json').end(JSON.stringify(seen))
  })
}
