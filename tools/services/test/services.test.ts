import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import {
  describeWithService,
  missingReason,
  serviceAvailable,
  serviceDefinition,
  startService,
} from '../src/index.ts'
import { pythonAvailable } from '../src/python.ts'

const fixture = fileURLToPath(new URL('fixture/vitest.config.ts', import.meta.url))

interface Report {
  testResults: { assertionResults: { fullName: string }[] }[]
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const stat = `/proc/${pid}/stat`
    // A dead orphan stays a zombie until the first process of the machine collects it.
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'))
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 3_000 && !condition(); i++) await sleep(10)
  expect(condition()).toBe(true)
}

describeWithService('redis', 'a redis service', (get) => {
  test('answers under the process id that it reports', async () => {
    const { host, port, pid, dataDir } = get()
    expect(host).toBe('127.0.0.1')
    await serviceDefinition('redis').probe({ host, port, dataDir, pid })
    await expect(serviceDefinition('redis').probe({ host, port, dataDir, pid: 1 })).rejects.toThrow(
      'process 1',
    )
  })

  test('is another process on the same port after kill and restart', async () => {
    const redis = get()
    const { pid, port } = redis
    await redis.kill()
    expect(alive(pid)).toBe(false)
    expect(redis.running).toBe(false)
    await redis.restart()
    expect(redis.port).toBe(port)
    expect(redis.pid).not.toBe(pid)
    expect(redis.running).toBe(true)
  })

  test('does not start on a port that is taken, and shows the log', async () => {
    await expect(startService('redis', { port: get().port })).rejects.toThrow(/in use/)
  })

  test('stops, removes its folder and may be stopped twice', async () => {
    const redis = await startService('redis')
    expect(existsSync(redis.dataDir)).toBe(true)
    await redis.stop()
    await redis.stop()
    expect(alive(redis.pid)).toBe(false)
    expect(existsSync(redis.dataDir)).toBe(false)
  })

  test('dies with the process that started it, even if that was killed', async () => {
    const index = new URL('../src/index.ts', import.meta.url).href
    const code = `const { startService } = await import(${JSON.stringify(index)})
      const { pid, dataDir } = await startService('redis')
      console.log(JSON.stringify({ pid, dataDir }))
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: parent.stdout }).once('line', resolve)
      parent.once('exit', () => reject(new Error('ended without a line')))
    })
    const { pid, dataDir } = JSON.parse(line) as { pid: number; dataDir: string }
    expect(alive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until(() => !alive(pid) && !existsSync(dataDir))
  })
})

/** Runs a file of the fixture without some services. */
async function runWithout(
  missing: string,
  test: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; report: Report }> {
  const folder = await mkdtemp(join(tmpdir(), 'outrigger-report-'))
  const file = join(folder, 'report.json')
  const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))
  const args = [vitest, 'run', test, '--config', fixture, '--reporter=json', `--outputFile=${file}`]
  const child = spawn(process.execPath, args, {
    env: { ...process.env, OUTRIGGER_REQUIRE_SERVICES: '', OUTRIGGER_WITHOUT_SERVICES: missing, ...env },
    stdio: 'ignore',
  })
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve))
  const report = JSON.parse(await readFile(file, 'utf8')) as Report
  await rm(folder, { recursive: true })
  return { code, report }
}

const noPython = 'python3 is not installed (npm run services -- --apt)'
const required = { OUTRIGGER_REQUIRE_SERVICES: '1' }

describe('a service that is not installed', () => {
  test('skips its tests by name with the reason', async () => {
    const { code, report } = await runWithout('redis', 'needs-redis')
    expect(code).toBe(0)
    expect(report).toMatchObject({ numPassedTests: 0, numFailedTests: 0, numPendingTests: 2 })
    expect(report.testResults[0]?.assertionResults[0]?.fullName).toBe(
      'a store [skipped: redis-server is not installed (apt-get install redis-server)] reads',
    )
  })

  test('fails when services are required', async () => {
    const { code, report } = await runWithout('redis', 'needs-redis', required)
    expect(code).toBe(1)
    expect(report).toMatchObject({ numPassedTests: 0, numFailedTests: 1, numPendingTests: 0 })
  })

  test('cannot be started, and a name that nobody knows neither', async () => {
    vi.stubEnv('OUTRIGGER_WITHOUT_SERVICES', 'redis')
    expect(serviceAvailable('redis')).toBe(false)
    await expect(startService('redis')).rejects.toThrow('service redis: redis-server is not installed')
    vi.unstubAllEnvs()
    expect(() => serviceDefinition('nosuch' as 'redis')).toThrow(
      'unknown service "nosuch"; known are: consul',
    )
  })
})

describe('packages of Python that are not installed', () => {
  test('are required where there is Python', async () => {
    const name = (await runWithout('dapr-1.19', 'needs-python', required)).report.testResults[0]
      ?.assertionResults[0]?.fullName
    expect(name).toBe(
      pythonAvailable() ? 'dapr-1.19 needs its packages' : `dapr-1.19 [skipped: ${noPython}] runs`,
    )
  })

  test('are not where there is none', async () => {
    const { code, report } = await runWithout('python', 'needs-python', required)
    expect(code).toBe(0)
    expect(report.testResults[0]?.assertionResults[0]?.fullName).toBe(`dapr-1.19 [skipped: ${noPython}] runs`)
  })
})

for (const name of ['consul', 'dnsmasq'] as const) {
  describeWithService(name, `a ${name} service`, (get) => {
    test('answers under its own process id only, after a restart as well', async () => {
      const { host, port, pid, dataDir } = get()
      await expect(serviceDefinition(name).probe({ host, port, dataDir, pid: 1 })).rejects.toThrow(
        'process 1',
      )
      await get().restart()
      expect(get().pid).not.toBe(pid)
      await serviceDefinition(name).probe({ host, port, dataDir, pid: get().pid })
    })
  })
}

test('a service of another Debian suite says how it is got', () => {
  expect(missingReason('consul')).toBe('consul is not installed (npm run services -- --apt)')
})
