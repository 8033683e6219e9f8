import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Contender, freePort } from '../harness/process.ts'

const root = join(import.meta.dirname, '../../../..')
const daprd = join(root, 'packages/runtime/dist/bin.js')

const component = (name: string, type: string): string => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
`

export interface Started {
  readonly sidecar: Contender
  readonly grpcPort: number
}

/** A sidecar as it is built, with stores in memory; without an application unless its port is given. */
export async function startSidecar(
  folder: string,
  app?: { readonly port: number; readonly protocol: 'http' | 'grpc' },
): Promise<Started> {
  const resources = join(folder, 'resources')
  await mkdir(resources, { recursive: true })
  await writeFile(
    join(resources, 'components.yaml'),
    [component('store', 'state.in-memory'), component('bus', 'pubsub.in-memory')].join('---\n'),
  )
  const grpcPort = await freePort()
  const flags = app === undefined ? [] : [`--app-port=${app.port}`, `--app-protocol=${app.protocol}`]
  const sidecar = await Contender.start(
    (port) => [
      daprd,
      '--app-id=bench',
      `--dapr-http-port=${port}`,
      `--dapr-grpc-port=${grpcPort}`,
      '--dapr-listen-addresses=127.0.0.1',
      `--resources-path=${resources}`,
      `--modules-path=${join(root, 'tools/e2e')}`,
      '--log-level=error',
      ...flags,
    ],
    app === undefined ? '/v1.0/healthz' : '/v1.0/healthz/outbound',
  )
  return { sidecar, grpcPort }
}
