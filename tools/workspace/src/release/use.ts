import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../../../packages/testkit/src/index.ts'
import { startService } from '../../../services/src/index.ts'
import { capture } from '../run.ts'

const deadlineMs = 60_000

/** Starts the installed daprd on a Redis of its own, writes a key and returns what reading it answers. */
export async function useRedis(folder: string): Promise<string> {
  const redis = await startService('redis')
  try {
    const resources = join(folder, 'resources')
    mkdirSync(resources)
    writeFileSync(join(resources, 'store.yaml'), resource(redis.host, redis.port))
    return await withDaprd(folder, resources, async (url) => {
      const body = JSON.stringify([{ key: 'greeting', value: { hello: 'world' } }])
      const headers = { 'content-type': 'application/json' }
      const set = await fetch(`${url}/v1.0/state/store`, { method: 'POST', headers, body })
      if (set.status !== 204) throw new Error(`setting the key answered ${set.status}: ${await set.text()}`)
      const get = await fetch(`${url}/v1.0/state/store/greeting`)
      const text = await get.text()
      if (text !== '{"hello":"world"}') throw new Error(`reading the key answered ${get.status}: ${text}`)
      return text
    })
  } finally {
    await redis.stop()
  }
}

/** Makes the daprd that the installed README describes, and returns what it prints without any environment. */
export async function useWithoutPath(folder: string): Promise<string> {
  const readme = readFileSync(join(folder, 'node_modules/@outrigger/runtime/README.md'), 'utf8')
  const lines = /### Without PATH[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1]
  if (lines === undefined) throw new Error('the README of the runtime does not say how to do without PATH')
  const run = async (program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> => {
    const { code, stdout, stderr } = await capture(program, args, { cwd: folder, env })
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${stdout}${stderr}`)
    return stdout.trim()
  }
  await run('/bin/sh', ['-e', '-c', lines], process.env)
  return run(join(folder, 'daprd'), ['--version'], {})
}

function resource(host: string, port: number): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: store
spec:
  type: state.redis
  version: v1
  metadata:
    - name: redisHost
      value: ${host}:${port}
`
}

async function withDaprd<T>(folder: string, resources: string, use: (url: string) => Promise<T>): Promise<T> {
  const [http, grpc, internal, metrics] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const args = [
    ...['--app-id', 'rehearsal', '--resources-path', resources],
    ...['--dapr-http-port', `${http}`, '--dapr-grpc-port', `${grpc}`],
    ...['--dapr-internal-grpc-port', `${internal}`, '--metrics-port', `${metrics}`],
  ]
  const daprd = spawn(join(folder, 'node_modules/.bin/daprd'), args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  daprd.stdout.setEncoding('utf8').on('data', (text: string) => (log += text))
  daprd.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  let ended: string | undefined
  const end = new Promise<void>((resolve) => {
    const done = (how: string) => {
      ended = how
      resolve()
    }
    daprd.on('error', (error) => done(error.message))
    daprd.on('exit', (code, signal) => done(signal ?? `code ${code}`))
  })
  const url = `http://127.0.0.1:${http}`
  try {
    const giveUp = AbortSignal.timeout(deadlineMs)
    for (;;) {
      if (ended !== undefined) throw new Error(`daprd ended with ${ended}`)
      if (giveUp.aborted) throw new Error('daprd did not become ready')
      const ready = await fetch(`${url}/v1.0/healthz`).catch(() => undefined)
      if (ready?.ok) break
      await sleep(50)
    }
    const result = await use(url)
    daprd.kill('SIGTERM')
    await end
    if (ended !== 'code 0') throw new Error(`daprd ended with ${ended} after SIGTERM`)
    return result
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}; its log:\n${log}`, { cause: error })
  } finally {
    daprd.kill('SIGKILL')
    await end
  }
}
