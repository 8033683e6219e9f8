import { writeFile } from 'node:fs/promises'
import { tempFolder } from '@outrigger/testkit'
import { onTestFinished } from 'vitest'
import { Sidecar, type SidecarOptions } from '../../src/index.ts'

/** Names of components, each with the last part of its type: `{ check: 'routerchecker' }`. */
export type Handlers = Readonly<Record<string, string>>

/** A Configuration with both pipelines, as a file. */
export async function configuration(server: Handlers, app: Handlers = {}): Promise<string> {
  const folder = await tempFolder('outrigger-e2e-')
  onTestFinished(folder.remove)
  const lines = [
    'apiVersion: dapr.io/v1alpha1',
    'kind: Configuration',
    'metadata:',
    '  name: pipelines',
    'spec:',
  ]
  for (const [name, handlers] of [
    ['httpPipeline', server],
    ['appHttpPipeline', app],
  ] as const) {
    lines.push(`  ${name}:`, '    handlers:')
    for (const [component, type] of Object.entries(handlers)) {
      lines.push(`      - name: ${component}`, `        type: middleware.http.${type}`)
    }
    if (Object.keys(handlers).length === 0) lines[lines.length - 1] = '    handlers: []'
  }
  const file = `${folder.path}/config.yaml`
  await writeFile(file, `${lines.join('\n')}\n`)
  return file
}

/** Starts a sidecar and waits until it serves: what it says of its health may be up to its middleware. */
export async function sidecarBehind(
  server: Handlers,
  app: Handlers,
  { flags = [], ...options }: SidecarOptions,
): Promise<Sidecar> {
  const config = await configuration(server, app)
  const sidecar = await Sidecar.launch({ ...options, flags: [`--config=${config}`, ...flags] })
  onTestFinished(() => sidecar.dispose())
  await sidecar.child.waitUntil(
    () => sidecar.log.some((line) => line.includes('dapr initialized')),
    'the sidecar to serve',
  )
  if (options.appPort !== undefined) {
    await sidecar.child.waitUntil(
      () => sidecar.log.some((line) => line.includes('application discovered')),
      'the application to be found',
    )
  }
  return sidecar
}
