import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaprClient } from '@dapr/dapr'
import { configurationOf, MemoryItems } from '@outrigger/configuration-in-memory'
import { createRuntime } from '@outrigger/runtime'
import { recordingLogger, tempFolder } from '@outrigger/testkit'
import { App, component, modulesPath } from '../../src/index.ts'
import type { Sdk } from '../client/clients.ts'
import { queryableState } from '../state-query/queryable.ts'
import type { Protocol } from './surface.ts'

/** A sidecar with a component for every block, and an application over HTTP that follows `orders`. */
export interface World {
  readonly httpPort: number
  readonly grpcPort: number
  readonly app: App
  readonly settings: MemoryItems
  stop(): Promise<void>
}

/** What a call gets. */
export interface Scene {
  readonly sdk: Sdk
  readonly version: string
  readonly protocol: Protocol
  readonly client: DaprClient
  readonly world: World
  /** A name that only this scene uses. */
  key(text: string): string
}

/** Calls a method and says what must come back. */
export type Call = (scene: Scene) => Promise<void>
export type Calls = Readonly<Record<string, Call>>

export async function createWorld(): Promise<World> {
  const { path } = await tempFolder('outrigger-sdk-')
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'broker', topic: 'orders', route: '/orders' }],
    'POST /orders': {},
    '*': ({ method, path: asked, body }) =>
      asked === '/echo' ? { body: { method, body: body.toString() } } : { status: 404 },
  })
  await mkdir(join(path, 'keys'))
  await writeFile(join(path, 'keys/aes.key'), randomBytes(32).toString('base64'))
  await writeFile(join(path, 'secrets.json'), JSON.stringify({ password: 'swordfish', db: { user: 'sa' } }))
  const settings = new MemoryItems({ colour: 'red', size: 'large' })
  const runtime = createRuntime({
    appId: 'own',
    appPort: app.port,
    listen: true,
    httpPort: 0,
    grpcPort: 0,
    listenAddresses: ['127.0.0.1'],
    modulesPaths: [modulesPath],
    logger: recordingLogger(),
    definitions: [configurationOf(settings), queryableState()],
    resources: [
      component('store', 'state.sqlite', { metadata: { connectionString: join(path, 'state.db') } }),
      component('people', 'state.queryable'),
      component('broker', 'pubsub.in-memory'),
      component('files', 'bindings.localstorage', { metadata: { rootPath: join(path, 'files') } }),
      component('vault', 'secretstores.local.file', {
        metadata: { secretsFile: join(path, 'secrets.json') },
      }),
      component('settings', 'configuration.in-memory'),
      component('locks', 'lock.in-memory'),
      component('keys', 'crypto.dapr.localstorage', { metadata: { path: join(path, 'keys') } }),
    ],
  })
  await runtime.start()
  await runtime.ready()
  return {
    httpPort: runtime.addresses.http[0]!.port!,
    grpcPort: runtime.addresses.grpcPort!,
    app,
    settings,
    async stop() {
      await runtime.stop()
      await app.stop()
    },
  }
}

/** The text of a failure: over HTTP some methods return it as `error`, over gRPC they throw it, the older SDK in an `error` of what it throws. */
export async function failureOf(work: Promise<unknown>): Promise<string> {
  const outcome: unknown = await work.catch((error: unknown) => error)
  const error = outcome instanceof Error ? outcome : (outcome as { error?: unknown }).error
  if (error instanceof Error) return error.message
  throw new Error(`it did not fail: ${JSON.stringify(outcome)}`)
}
