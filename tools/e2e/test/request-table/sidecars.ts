import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, tempFolder, waitFor } from '@outrigger/testkit'
import { component, daprd, modulesPath } from '../../src/index.ts'
import { aesKey, rsaKey } from './subtle-rows.ts'

/** The components of a full sidecar, ours or genuine. */
export const componentTypes = {
  memory: 'state.in-memory',
  sqlite: 'state.sqlite',
  redis: 'state.redis',
  bus: 'pubsub.in-memory',
  stream: 'pubsub.redis',
  files: 'bindings.localstorage',
  web: 'bindings.http',
  vault: 'secretstores.local.file',
  strict: 'secretstores.local.file',
  closed: 'secretstores.local.file',
  open: 'secretstores.local.file',
  settings: 'configuration.redis',
  locks: 'lock.redis',
  keys: 'crypto.dapr.localstorage',
} as const

export function resources(folder: string, redis: { readonly port: number }): string {
  // Without retries, so that what asks a server that has gone need not wait.
  const server = { redisHost: `127.0.0.1:${redis.port}`, redisPassword: '', redisMaxRetries: '-1' }
  const metadata: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'state.sqlite': { connectionString: join(folder, 'state.db') },
    'state.redis': server,
    'pubsub.in-memory': { allowedTopics: 'orders' },
    'pubsub.redis': server,
    'bindings.localstorage': { rootPath: join(folder, 'files') },
    // Nothing listens there.
    'bindings.http': { url: 'http://127.0.0.1:1' },
    'secretstores.local.file': { secretsFile: join(folder, 'secrets.json') },
    'configuration.redis': server,
    'lock.redis': server,
    'crypto.dapr.localstorage': { path: join(folder, 'keys') },
  }
  return Object.entries(componentTypes)
    .map(([name, type]) => component(name, type, { metadata: metadata[type] ?? {} }))
    .join('\n---\n')
}

const configuration = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: table
spec:
  metric:
    enabled: false
  nameResolution:
    component: sqlite
    configuration:
      connectionString: FOLDER/names.db
  secrets:
    scopes:
      - storeName: vault
        defaultAccess: allow
        deniedSecrets: [hidden]
      - storeName: strict
        defaultAccess: allow
        allowedSecrets: [password]
      - storeName: closed
        defaultAccess: deny
`

export interface Launched {
  readonly url: string
  readonly grpcPort: number
  readonly folder: string
  stop(): Promise<void>
}

/** Files that the components read; the keys are the same for every sidecar. */
export async function prepare(folder: string, redis: { readonly port: number }): Promise<void> {
  for (const name of ['resources', 'keys', 'files']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'resources/components.yaml'), resources(folder, redis))
  await writeFile(join(folder, 'config.yaml'), configuration.replace('FOLDER', folder))
  const secrets = { password: 'swordfish', hidden: 'never', db: { user: 'sa' } }
  await writeFile(join(folder, 'secrets.json'), JSON.stringify(secrets))
  await writeFile(join(folder, 'own-secrets.json'), JSON.stringify({ stateKey: '00'.repeat(16) }))
  for (const name of ['aes.key', 'gone.key'])
    await writeFile(join(folder, 'keys', name), aesKey.toString('base64'))
  await writeFile(join(folder, 'keys/rsa.pem'), rsaKey)
}

export interface LaunchOptions {
  readonly appId: string
  readonly program?: string | undefined
  readonly appPort?: number | undefined
}

/** Starts ours, or the genuine one that `program` names; with `appPort` it has an application. */
export async function launch(folder: string, { appId, program, appPort }: LaunchOptions): Promise<Launched> {
  const ports = { http: await freePort(), grpc: await freePort(), internal: await freePort() }
  const flags = [
    `--app-id=${appId}`,
    `--dapr-http-port=${ports.http}`,
    `--dapr-grpc-port=${ports.grpc}`,
    `--dapr-internal-grpc-port=${ports.internal}`,
    '--dapr-listen-addresses=127.0.0.1',
    `--config=${join(folder, 'config.yaml')}`,
    `--resources-path=${join(folder, 'resources')}`,
    ...(appPort === undefined ? [] : [`--app-port=${appPort}`]),
  ]
  const [command, args] =
    program === undefined
      ? [
          process.execPath,
          ['--conditions=@outrigger/source', daprd, `--modules-path=${modulesPath}`, ...flags],
        ]
      : [program, [...flags, '--dapr-internal-grpc-listen-address=127.0.0.1', '--enable-metrics=false']]
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (log += text.toString()))
  const url = `http://127.0.0.1:${ports.http}`
  try {
    await waitFor(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${log.slice(-2000)}`)
        return (await fetch(`${url}/v1.0/healthz/outbound`)).status === 204
      },
      { what: 'the sidecar to be ready', deadlineMs: 60_000 },
    )
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the sidecar did not start: ${log.slice(-3000)}`, { cause: error })
  }
  return {
    url,
    grpcPort: ports.grpc,
    folder,
    async stop() {
      if (child.exitCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(late)
    },
  }
}

export async function folderFor(redis: { readonly port: number }): Promise<string> {
  const { path } = await tempFolder('outrigger-table-')
  await prepare(path, redis)
  return path
}

/** A folder whose sidecar has no components. */
export async function emptyFolder(): Promise<string> {
  const { path } = await tempFolder('outrigger-table-')
  await mkdir(join(path, 'resources'))
  await writeFile(join(path, 'config.yaml'), configuration.replace('FOLDER', path))
  return path
}
