import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { freePort, waitFor } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshPath, open, portsOf, registration } from './support.ts'

const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']

const configuration = (path: string): string => `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: names
spec:
  nameResolution:
    component: sqlite
    configuration:
      connectionString: ${path}
`

describe.skipIf(genuine === undefined)('with a genuine daprd (OUTRIGGER_GENUINE_DAPRD)', () => {
  test('both find each other in one file', async () => {
    const path = freshPath()
    const resolver = await open(path)
    // What calls us, calls here.
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const ours = await resolver.register!(registration('ours', port), {})

    const config = join(dirname(path), 'config.yaml')
    writeFileSync(config, configuration(path))
    const [http, grpc, internal] = [await freePort(), await freePort(), await freePort()]
    const daprd = spawn(
      genuine!,
      [
        '--app-id=theirs',
        `--dapr-http-port=${http}`,
        `--dapr-grpc-port=${grpc}`,
        `--dapr-internal-grpc-port=${internal}`,
        '--dapr-listen-addresses=127.0.0.1',
        '--dapr-internal-grpc-listen-address=127.0.0.1',
        '--enable-metrics=false',
        `--config=${config}`,
      ],
      { stdio: 'ignore' },
    )
    onTestFinished(() => void daprd.kill('SIGKILL'))
    await waitFor(async () => (await portsOf(resolver, 'theirs')).length > 0)
    expect(await portsOf(resolver, 'theirs', 'any')).toEqual([internal])

    const called = once(server, 'connection')
    const call = (): Promise<Response> => fetch(`http://127.0.0.1:${http}/v1.0/invoke/ours/method/x`)
    await waitFor(async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz/outbound`)).status === 204)
    const answer = call()
    await called
    expect((await answer).status).toBe(500)
    await ours.setHealthy(false, {})
    expect(await (await call()).text()).toContain('no host found')

    const gone = once(daprd, 'exit')
    daprd.kill('SIGTERM')
    await gone
    expect(await portsOf(resolver, 'theirs')).toEqual([])
  })
})
