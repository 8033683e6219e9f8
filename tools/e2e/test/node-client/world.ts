import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { createClient as createHttpClient, type Client } from '@outrigger/client'
import { createApp, Reply, type App, type CreateAppOptions } from '@outrigger/client/app'
import { outrigger } from '@outrigger/client/express'
import { createClient as createGrpcClient } from '@outrigger/client/grpc'
import { createClient as createInProcessClient } from '@outrigger/client/in-process'
import { createRuntime } from '@outrigger/runtime'
import { recordingLogger, tempFolder } from '@outrigger/testkit'
import { component, modulesPath, startSidecar } from '../../src/index.ts'

export interface World {
  readonly client: Client
  readonly app: App
  readonly folder: string
  readonly url: string | undefined
  stop(): Promise<void>
}

export const appId = 'shop'
const noEnv = { env: {} }

/** One component of each kind. */
export function resources(folder: string, redis: { readonly port: number }): readonly string[] {
  const server = { redisHost: `127.0.0.1:${redis.port}`, redisPassword: '' }
  return [
    component('memory', 'state.in-memory'),
    component('sqlite', 'state.sqlite', { metadata: { connectionString: join(folder, 'state.db') } }),
    component('bus', 'pubsub.in-memory', { metadata: { protectedTopics: 'secret' } }),
    component('files', 'bindings.localstorage', { metadata: { rootPath: join(folder, 'files') } }),
    component('vault', 'secretstores.local.file', {
      metadata: { secretsFile: join(folder, 'secrets.json') },
    }),
    component('settings', 'configuration.redis', { metadata: server }),
    component('locks', 'lock.redis', { metadata: server }),
    component('keys', 'crypto.dapr.localstorage', { metadata: { path: join(folder, 'keys') } }),
  ]
}

export async function prepare(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const { path, remove } = await tempFolder('outrigger-client-')
  for (const name of ['keys', 'files']) await mkdir(join(path, name))
  await writeFile(join(path, 'secrets.json'), JSON.stringify({ password: 'swordfish', db: { user: 'sa' } }))
  await writeFile(join(path, 'keys/aes.key'), Buffer.alloc(32, 7).toString('base64'))
  return { folder: path, remove }
}

/** An application whose methods answer with all that can go wrong. */
export function exampleApp(options: CreateAppOptions = {}): App {
  const app = createApp({ ...noEnv, ...options })
  app.method('echo', ({ method, query, headers, bytes }) => {
    const answer = {
      'content-type': headers.get('content-type') ?? 'none',
      'x-verb': method,
      'x-query': query.toString(),
    }
    return new Reply({ headers: answer, body: bytes })
  })
  app.method(
    'teapot',
    () => new Reply({ status: 418, headers: { 'content-type': 'text/plain' }, body: 'short and stout' }),
  )
  app.method('large', () => new Uint8Array(300_000).fill(65))
  app.method('nothing', () => undefined)
  app.method('boom', () => {
    throw new Error('it went off')
  })
  return app
}

/** Serves an application on a port. */
export async function serve(app: App): Promise<{ readonly port: number; close(): Promise<void> }> {
  const handler = outrigger(app)
  const server: Server = createServer((request, response) =>
    handler(request, response, () => response.writeHead(404).end()),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A sidecar with its application, and a client of one of its APIs. */
export async function sidecarWorld(
  transport: 'http' | 'grpc',
  redis: { readonly port: number },
  list: (folder: string) => readonly string[] = (folder) => resources(folder, redis),
): Promise<World> {
  const { folder, remove } = await prepare()
  const app = exampleApp({ logger: { error: () => undefined } })
  const served = await serve(app)
  const sidecar = await startSidecar({ appId, resources: list(folder), appPort: served.port })
  const httpEndpoint = sidecar.url
  const client =
    transport === 'http'
      ? createHttpClient({ httpEndpoint, app, ...noEnv })
      : createGrpcClient({ grpcEndpoint: `127.0.0.1:${sidecar.grpcPort}`, httpEndpoint, ...noEnv })
  return {
    client,
    app,
    folder,
    url: httpEndpoint,
    async stop() {
      await client.close()
      await sidecar.dispose()
      await served.close()
      await remove()
    },
  }
}

/** The same without a sidecar. */
export async function inProcessWorld(
  redis: { readonly port: number },
  list: (folder: string) => readonly string[] = (folder) => resources(folder, redis),
): Promise<World> {
  const { folder, remove } = await prepare()
  const app = exampleApp({ logger: { error: () => undefined } })
  const runtime = createRuntime({
    appId,
    resources: list(folder),
    modulesPaths: [modulesPath],
    logger: recordingLogger(),
    app: app.inProcess,
  })
  await runtime.start()
  await runtime.ready()
  const client = createInProcessClient({ runtime })
  return {
    client,
    app,
    folder,
    url: undefined,
    async stop() {
      await client.close()
      await runtime.stop()
      await remove()
    },
  }
}
