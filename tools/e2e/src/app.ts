import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import { waitFor } from '@outrigger/testkit'
import type { Json } from './json.ts'

/** What the sidecar sent. */
export interface AppRequest {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The body as JSON; throws when it is none. */
  json(): Json
}

export interface AppAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | object
}

export type AppHandler = (request: AppRequest) => AppAnswer | void | Promise<AppAnswer | void>

const running = new Set<App>()

/** An application in the process of the test: routes by `METHOD /path`, `*` for all others; it remembers every request. */
export class App {
  readonly requests: AppRequest[] = []
  readonly port: number
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    running.add(this)
  }

  static async start(routes: Readonly<Record<string, AppHandler | object>> = {}): Promise<App> {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const app = new App(server, port)
    server.on('request', async (incoming, response) => {
      const request = await read(incoming)
      app.requests.push(request)
      const route = routes[`${request.method} ${request.path}`] ?? routes['*']
      const answer: AppAnswer =
        route === undefined
          ? { status: 404 }
          : typeof route === 'function'
            ? ((await route(request)) ?? {})
            : { body: route }
      const { status = 200, headers = {}, body = '' } = answer
      const raw = typeof body === 'string' || body instanceof Uint8Array
      response.writeHead(status, raw ? headers : { 'content-type': 'application/json', ...headers })
      response.end(raw ? body : JSON.stringify(body))
    })
    return app
  }

  /** Requests of one path so far. */
  at(path: string): readonly AppRequest[] {
    return this.requests.filter((request) => request.path === path)
  }

  /** Waits until a path was called `count` times. */
  received(path: string, count = 1): Promise<readonly AppRequest[]> {
    return waitFor(() => (this.at(path).length >= count ? this.at(path) : undefined), {
      what: `${count} calls of ${path}`,
    }) as Promise<readonly AppRequest[]>
  }

  async stop(): Promise<void> {
    running.delete(this)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export async function endApps(): Promise<void> {
  await Promise.all([...running].map((app) => app.stop()))
}

async function read(incoming: IncomingMessage): Promise<AppRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2)
  return {
    method: incoming.method ?? '',
    path,
    query,
    headers: incoming.headers,
    body,
    json: () => JSON.parse(body.toString()),
  }
}
