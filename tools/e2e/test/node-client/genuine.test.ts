import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient, isOutriggerError, type Client } from '@outrigger/client'
import { createClient as createGrpcClient } from '@outrigger/client/grpc'
import { describeWithService, say } from '@outrigger/services'
import { freePort, waitFor } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rows, type Row } from './rows.ts'
import { appId, exampleApp, inProcessWorld, prepare, resources, serve, type World } from './world.ts'

const program = process.env['OUTRIGGER_GENUINE_DAPRD']

/** Why a row has another answer there; the first two are among the differences that the documentation lists. */
const differs: Readonly<Record<string, string>> = {
  'sqlite: JSON in bytes stays digit for digit over http': 'its HTTP API rounds numbers',
  'a ciphertext that was changed over http': 'its HTTP API has no code for it',
  'metadata over http': 'it tells of itself',
  'metadata over grpc': 'it tells of itself',
}
const asked = rows
  // A genuine sidecar as this is built has neither.
  .filter((row) => row.empty !== true && !row.name.startsWith('memory:') && !row.name.includes('queries'))
  .flatMap((row) => ['http', 'grpc'].map((face) => ({ ...row, face, title: `${row.name} over ${face}` })))
  .filter(({ title }) => !(title in differs))

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
`

async function start(
  folder: string,
  appPort: number,
): Promise<{ child: ChildProcess; http: string; grpc: string }> {
  const ports = { http: await freePort(), grpc: await freePort(), internal: await freePort() }
  const flags = [
    `--app-id=${appId}`,
    `--app-port=${appPort}`,
    `--dapr-http-port=${ports.http}`,
    `--dapr-grpc-port=${ports.grpc}`,
    `--dapr-internal-grpc-port=${ports.internal}`,
    '--dapr-listen-addresses=127.0.0.1',
    '--dapr-internal-grpc-listen-address=127.0.0.1',
    '--enable-metrics=false',
    `--config=${join(folder, 'config.yaml')}`,
    `--resources-path=${join(folder, 'resources')}`,
  ]
  const child = spawn(program!, flags, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (log += text.toString()))
  const url = `http://127.0.0.1:${ports.http}`
  await waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${log.slice(-2000)}`)
      return (await fetch(`${url}/v1.0/healthz/outbound`)).status === 204
    },
    { what: 'the genuine sidecar', deadlineMs: 60_000 },
  )
  return { child, http: url, grpc: `127.0.0.1:${ports.grpc}` }
}

describeWithService('redis', 'the client with a genuine sidecar', (get) => {
  let ours: World
  const clients: Record<string, Client> = {}
  const ends: (() => unknown)[] = []

  beforeAll(async () => {
    if (program === undefined) return
    await say(get(), 'SET colour red')
    const { folder, remove } = await prepare()
    await mkdir(join(folder, 'resources'))
    await writeFile(join(folder, 'resources/all.yaml'), resources(folder, get()).join('---\n'))
    await writeFile(join(folder, 'config.yaml'), configuration.replace('FOLDER', folder))
    const app = exampleApp({ logger: { error: () => undefined } })
    const served = await serve(app)
    const { child, http, grpc } = await start(folder, served.port)
    clients['http'] = createClient({ httpEndpoint: http, app, env: {} })
    clients['grpc'] = createGrpcClient({ grpcEndpoint: grpc, httpEndpoint: http, env: {} })
    ours = await inProcessWorld(get())
    ends.push(
      async () => {
        child.kill('SIGKILL')
        await once(child, 'exit')
      },
      () => clients['http']!.close(),
      () => clients['grpc']!.close(),
      () => ours.stop(),
      () => served.close(),
      remove,
    )
  })

  afterAll(async () => {
    for (const end of ends) await end()
  })

  test.skipIf(program === undefined).each(asked)('$title', async (row) => {
    const expected = await outcome(row, ours.client)
    const actual = await outcome(row, clients[row.face]!)
    // Each wire says its own part of a failure.
    if (expected.failure === undefined) expect(actual).toEqual(expected)
    else if (row.face === 'http')
      expect(actual.failure).toMatchObject(part(expected.failure, ['status', 'errorCode', 'reason']))
    else expect(actual.failure).toMatchObject(part(expected.failure, ['grpcStatus']))
  })
})

interface Outcome {
  readonly answer?: unknown
  readonly failure?: Readonly<Record<string, unknown>>
}

async function outcome(row: Row, client: Client): Promise<Outcome> {
  try {
    return { answer: await row.run(client) }
  } catch (error) {
    if (!isOutriggerError(error)) throw error
    const { status, grpcStatus, errorCode, reason, message } = error
    return { failure: { status, grpcStatus, errorCode, reason, message } }
  }
}

function part(failure: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, failure[name]]))
}
