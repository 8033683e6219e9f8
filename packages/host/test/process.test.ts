import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder, waitFor } from '@outrigger/testkit'
import { fileSink, streamSink, systemClock, systemRandom, teeSink } from '../src/index.ts'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

class Program {
  output = ''
  errors = ''
  readonly child: ChildProcess
  readonly exited: Promise<unknown[]>

  constructor(file: string, ...args: string[]) {
    this.child = spawn(process.execPath, ['--conditions=@outrigger/source', fixture(file), ...args])
    this.child.stdout!.on('data', (chunk) => (this.output += chunk))
    this.child.stderr!.on('data', (chunk) => (this.errors += chunk))
    this.exited = once(this.child, 'close')
  }

  async says(text: string): Promise<void> {
    await waitFor(() => this.output.includes(text), { what: `"${text}" in the output` })
  }

  async code(): Promise<unknown> {
    return (await this.exited)[0]
  }
}

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops in order and exits with 0', async (signal) => {
    const program = new Program('program.ts', 'orderly')
    await program.says('msg=ready')
    program.child.kill(signal)
    expect(await program.code()).toBe(0)
    expect(program.output).toContain('msg=stopped')
  })

  it('a second one exits at once with 1', async () => {
    const program = new Program('program.ts', 'stubborn')
    await program.says('msg=ready')
    program.child.kill('SIGTERM')
    await program.says('stopping')
    program.child.kill('SIGINT')
    expect(await program.code()).toBe(1)
    expect(program.output).toContain('a second request to stop')
  })

  it('a stop that takes too long exits with 1', async () => {
    const program = new Program('program.ts', 'slow')
    await program.says('msg=ready')
    program.child.kill('SIGTERM')
    expect(await program.code()).toBe(1)
    expect(program.output).toContain('Not stopped after 50 ms')
  })

  it('a stop that never ends, with nothing left to wait for, ends with 1', async () => {
    const program = new Program('program.ts', 'gives up')
    await program.says('msg=ready')
    program.child.kill('SIGTERM')
    expect(await program.code()).toBe(1)
  })

  it('a stop that fails exits with 1 and says why', async () => {
    const program = new Program('program.ts', 'fails')
    await program.says('msg=ready')
    program.child.kill('SIGTERM')
    expect(await program.code()).toBe(1)
    expect(program.output).toContain('error="no way"')
  })

  it('SIGHUP goes to its callback, and the process goes on', async () => {
    const program = new Program('program.ts', 'orderly')
    await program.says('msg=ready')
    program.child.kill('SIGHUP')
    await program.says('msg="hung up"')
    program.child.kill('SIGTERM')
    expect(await program.code()).toBe(0)
  })

  it('a program can ask for the same itself', async () => {
    expect(await new Program('program.ts', 'itself').code()).toBe(0)
  })

  it.each([
    ['throws', 'nobody caught me'],
    ['rejects', 'nobody handled me'],
  ])('an error that nobody caught is logged and exits with 1 (%s)', async (behaviour, message) => {
    const program = new Program('program.ts', behaviour)
    expect(await program.code()).toBe(1)
    const lines = program.output.trim().split('\n')
    expect(lines.at(-1)).toContain(`level=error`)
    expect(lines.at(-1)).toContain(message)
  })
})

it('an old Node.js gets one clear line', async () => {
  const program = new Program('guarded.mjs')
  expect(await program.code()).toBe(1)
  expect(program.errors).toBe(
    `daprd needs Node.js 999.0.0 or later; this is ${process.versions.node} (${process.execPath}).\n`,
  )
  expect(program.output).toBe('')
})

describe('sinks', () => {
  it('append lines to a file', async () => {
    const folder = await tempFolder()
    onTestFinished(folder.remove)
    const path = join(folder.path, 'a.log')
    for (const line of ['one\n', 'two\n']) {
      const sink = fileSink(path)
      sink.write(line)
      sink.close()
      sink.write('after the end\n')
    }
    expect(await readFile(path, 'utf8')).toBe('one\ntwo\n')
  })

  it('say which file cannot be opened', async () => {
    const folder = await tempFolder()
    onTestFinished(folder.remove)
    await chmod(folder.path, 0o500)
    const path = join(folder.path, 'missing', 'a.log')
    expect(() => fileSink(path)).toThrow(`the log file ${path} cannot be opened`)
  })

  it('go on when one of several fails', () => {
    const lines: string[] = []
    const bad = {
      write: () => {
        throw new Error('full')
      },
      close: () => {},
    }
    teeSink(bad, { write: (line) => void lines.push(line), close: () => {} }).write('x')
    expect(lines).toEqual(['x'])
  })

  it('survive a reader that went away', async () => {
    const child = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'close')
    const sink = streamSink(child.stdin)
    for (let index = 0; index < 5; index++) {
      sink.write('x\n')
      await new Promise(setImmediate)
    }
  })
})

describe('the system', () => {
  it('has a clock that calls back once, unless it is cancelled', async () => {
    const before = [systemClock.now(), systemClock.monotonic()]
    let cancelled = false
    systemClock.schedule(1, () => (cancelled = true)).cancel()
    await new Promise<void>((resolve) => systemClock.schedule(20, resolve))
    expect(cancelled).toBe(false)
    expect(systemClock.monotonic() - before[1]!).toBeGreaterThan(15)
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(5000)
  })

  it('does not call back at once after more than 24 days', async () => {
    let called = false
    const timer = systemClock.schedule(2 ** 31 + 5000, () => (called = true))
    await new Promise((resolve) => setTimeout(resolve, 30))
    timer.cancel()
    expect(called).toBe(false)
  })

  it('has chance', () => {
    expect(systemRandom.next()).toBeGreaterThanOrEqual(0)
    expect(systemRandom.next()).toBeLessThan(1)
    expect(systemRandom.uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  })
})
