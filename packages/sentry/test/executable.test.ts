import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, waitFor } from '@outrigger/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { open, temp } from './setup.ts'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))

interface Process {
  readonly child: ChildProcess
  output(): string
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

function run(...argv: string[]): Process {
  const child = spawn(process.execPath, ['--conditions=@outrigger/source', bin, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'gone'))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, output: () => output, ended }
}

describe('the sentry executable', () => {
  it('makes its files, signs, tells its health and metrics, and ends in order', async () => {
    const folder = await temp()
    const [port, healthz, metrics] = await Promise.all([freePort(), freePort(), freePort()])
    const sentry = run(
      '-issuer-credentials',
      folder,
      `--port=${port}`,
      '--listen-address=127.0.0.1',
      `--healthz-port=${healthz}`,
      '--healthz-listen-address=127.0.0.1',
      `--metrics-port=${metrics}`,
      '--metrics-listen-address=127.0.0.1',
      '--log-as-json',
    )
    await waitFor(async () => (await fetch(`http://127.0.0.1:${healthz}/healthz`)).status === 200)
    const security = await open({ address: `127.0.0.1:${port}`, folder }, 'orders')
    expect(security.id.uri).toBe('spiffe://public/ns/default/orders')
    const text = await (await fetch(`http://127.0.0.1:${metrics}/`)).text()
    expect(text).toContain('dapr_sentry_cert_sign_success_total 1\n')
    expect((await fetch(`http://127.0.0.1:${healthz}/other`)).status).toBe(404)
    sentry.child.kill('SIGTERM')
    expect(await sentry.ended).toBe(0)
    const lines = sentry
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string })
    expect(lines.at(-1)!.msg).toBe('Sentry shut down gracefully')
  })

  it('says what is wrong, and ends with 1', async () => {
    const folder = await temp()
    for (const [argv, message] of [
      [['--prot=1'], /sentry: .*--prot/],
      [['--mode=kubernetes'], /sentry: --mode=kubernetes is not built yet/],
      [['--config', join(folder, 'none.yaml')], /none\.yaml cannot be read/],
    ] as const) {
      const sentry = run(...argv)
      expect(await sentry.ended).toBe(1)
      expect(sentry.output()).toMatch(message)
    }
    await writeFile(join(folder, 'ca.crt'), 'nothing')
    const [healthz, metrics] = await Promise.all([freePort(), freePort()])
    const sentry = run(
      '--issuer-credentials',
      folder,
      `--healthz-port=${healthz}`,
      `--metrics-port=${metrics}`,
    )
    expect(await sentry.ended).toBe(1)
    expect(sentry.output()).toMatch(
      /level=fatal msg="the authority could not be started: the authority lacks/,
    )
  })

  it('says which flag helps when a port is taken', async () => {
    const folder = await temp()
    const taken = createServer().listen(0, '::')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const sentry = run('--issuer-credentials', folder, `--healthz-port=${port}`)
    expect(await sentry.ended).toBe(1)
    expect(sentry.output()).toContain(
      `the listener healthz could not be started: cannot listen on *:${port}: the address is in use: choose another with --healthz-port"`,
    )
    taken.close()
  })

  it('prints help and version', async () => {
    const help = run('--help')
    expect(await help.ended).toBe(0)
    expect(help.output()).toMatch(/--issuer-ca-filename +/)
    const version = run('--version')
    expect(await version.ended).toBe(0)
    expect(version.output()).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
