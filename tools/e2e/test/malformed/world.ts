import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRuntime, type Runtime } from '@outrigger/runtime'
import type { ComponentDefinition } from '@outrigger/spec'
import { recordingLogger, tempFolder, type RecordingLogger } from '@outrigger/testkit'
import bindings from '@outrigger/bindings-localstorage'
import configuration from '@outrigger/configuration-in-memory'
import crypto from '@outrigger/crypto-dapr-localstorage'
import lock from '@outrigger/lock-in-memory'
import pubsub from '@outrigger/pubsub-in-memory'
import secrets from '@outrigger/secretstores-local-file'
import state from '@outrigger/state-in-memory'
import { component } from '../../src/index.ts'

/** Operations of components that change something. */
const writing = new Set([
  'set',
  'bulkSet',
  'delete',
  'bulkDelete',
  'transact',
  'publish',
  'bulkPublish',
  'invoke',
  'tryLock',
])

export interface World {
  readonly runtime: Runtime
  readonly url: string
  readonly grpcPort: number
  readonly logger: RecordingLogger
  /** How many writing operations have reached a component. */
  readonly writes: () => number
}

/** A runtime that listens, with every block, whose components count what is asked of them. */
export async function startWorld(): Promise<World> {
  const { path } = await tempFolder('outrigger-malformed-')
  await mkdir(join(path, 'keys'))
  await writeFile(join(path, 'keys/aes'), Buffer.alloc(32, 7).toString('base64'))
  await writeFile(join(path, 'secrets.json'), JSON.stringify({ password: 'swordfish' }))
  let writes = 0
  const counted = (definition: ComponentDefinition): ComponentDefinition => {
    const versions = Object.fromEntries(
      Object.entries(definition.versions).map(([name, version]) => [
        name,
        {
          ...version,
          create: async (context: never) =>
            new Proxy(await (version as { create(context: never): Promise<object> }).create(context), {
              get(target, key) {
                const value: unknown = Reflect.get(target, key, target)
                if (typeof value !== 'function') return value
                return (...args: unknown[]) => {
                  if (writing.has(String(key))) writes++
                  return Reflect.apply(value, target, args) as unknown
                }
              },
            }),
        },
      ]),
    )
    return { ...definition, versions } as ComponentDefinition
  }
  const definitions = [state, pubsub, bindings, secrets, configuration, lock, crypto] as ComponentDefinition[]
  const logger = recordingLogger()
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    httpPort: 0,
    grpcPort: 0,
    listenAddresses: ['127.0.0.1'],
    definitions: definitions.map(counted),
    logger,
    resources: [
      component('store', 'state.in-memory'),
      component('bus', 'pubsub.in-memory'),
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
  return {
    runtime,
    url: `http://127.0.0.1:${runtime.addresses.http[0]!.port}`,
    grpcPort: runtime.addresses.grpcPort!,
    logger,
    writes: () => writes,
  }
}
