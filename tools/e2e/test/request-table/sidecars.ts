import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, tempFolder, waitFor } from '@outrigger/testkit'
import { component, daprd, modulesPath } from '../../src/index.ts'

/** What both kinds of sidecar load. */
export function resources(folder: string, redis: { readonly port: number }): string {
  const server = { redisHost: `127.0.0.1:${redis.port}`, redisPassword: '' }
  return [
    component('memory', 'state.in-memory'),
    component('sqlite', 'state.sqlite', { metadata: { connectionString: join(folder, 'state.db') } }),
    component('redis', 'state.redis', { metadata: server }),
    component('bus', 'pubsub.in-memory', { metadata: { allowedTopics: 'orders' } }),
    component('files', 'bindings.localstorage', { metadata: { rootPath: join(folder, 'files') } }),
    component('vault', 'secretstores.local.file', {
      metadata: { secretsFile: join(folder, 'secrets.json') },
    }),
    component('settings', 'configuration.redis', { metadata: server }),
    component('locks', 'lock.redis', { metadata: server }),
    component('keys', 'crypto.dapr.localstorage', { metadata: { path: join(folder, 'keys') } }),
  ].join('\n---\n')
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
`

export interface Launched {
  readonly url: string
  readonly grpcPort: number
  readonly folder: string
  readonly log: () => string
  stop(): Promise<void>
}

/** Files that the components read; the keys are the same for every sidecar. */
export async function prepare(folder: string, redis: { readonly port: number }): Promise<void> {
  for (const name of ['resources', 'keys', 'files']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'resources/components.yaml'), resources(folder, redis))
  await writeFile(join(folder, 'config.yaml'), configuration.replace('FOLDER', folder))
  const secrets = { password: 'swordfish', hidden: 'never', db: { user: 'sa' } }
  await writeFile(join(folder, 'secrets.json'), JSON.stringify(secrets))
  await writeFile(join(folder, 'keys/aes.key'), Buffer.alloc(32, 7).toString('base64'))
}

/** Starts ours, or the genuine one that `program` names. */
export async function launch(folder: string, appId: string, program?: string): Promise<Launched> {
  const ports = { http: await freePort(), grpc: await freePort(), internal: await freePort() }
  const flags = [
    `--app-id=${appId}`,
    `--dapr-http-port=${ports.http}`,
    `--dapr-grpc-port=${ports.grpc}`,
    `--dapr-internal-grpc-port=${ports.internal}`,
    '--dapr-listen-addresses=127.0.0.1',
    `--config=${join(folder, 'config.yaml')}`,
    `--resources-path=${join(folder, 'resources')}`,
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
    log: () => log,
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
