import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, tempFolder, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))

interface Command {
  readonly child: ChildProcess
  readonly output: () => string
  /** The exit code. */
  readonly ended: Promise<number | null>
  line(text: string): Promise<void>
}

interface Setting {
  readonly flags?: readonly string[]
  /** A terminal gives its commands a process group. */
  readonly group?: boolean
}

/** Runs `outrigger run` on an empty folder of resources, with a script as the application. */
async function run(script: string, { flags = [], group = false }: Setting = {}): Promise<Command> {
  const folder = await tempFolder()
  const resources = join(folder.path, 'resources')
  const app = join(folder.path, 'app.mjs')
  await mkdir(resources)
  await writeFile(app, script)
  const args = ['--conditions=@outrigger/source', bin, 'run', '-a', 'hello', '-d', resources, ...flags]
  const child = spawn(process.execPath, [...args, '--', process.execPath, app], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: group,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGTERM')
    await ended
    await folder.remove()
  })
  const line = async (text: string): Promise<void> => {
    await waitFor(() => output.includes(text), { what: `"${text}"`, deadlineMs: 30_000 }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; the output:\n${output}`)
      },
    )
  }
  return { child, output: () => output, ended, line }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Where the sidecar listens. */
function urlOf(output: string): string {
  return `http://${/HTTP on (\S+),/.exec(output)![1]}`
}

const idle = `console.log('app is up as ' + process.pid)\nsetInterval(() => {}, 1000)`

test.each(['--dapr-http-port', '--dapr-grpc-port'])(
  'a port in use is refused before anything starts: %s',
  async (flag) => {
    // It answers as a healthy sidecar does.
    const other = createServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    )
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const command = await run(idle, { flags: [flag, String(port)] })
    expect(await command.ended).toBe(1)
    expect(command.output()).toBe(
      `outrigger: port ${port} is in use: choose another one with ${flag}, or leave it away for a free one\n`,
    )
  },
)

/** Runs an idle application where the first ports that are found free are `first`, and those found then are free. */
async function runWith(first: readonly number[], more: object = {}) {
  const folder = await tempFolder()
  const runFile = new URL('../src/run/run.ts', import.meta.url)
  const portsFile = new URL('../src/run/ports.ts', import.meta.url)
  const program = join(folder.path, 'run.mjs')
  await writeFile(
    program,
    `import { run } from ${JSON.stringify(runFile)}
    import { freePorts } from ${JSON.stringify(portsFile)}
    let asked = 0
    process.exitCode = await run({
      appId: 'hello', resourcesPaths: [], sidecarFlags: ['--enable-metrics=false', '--log-level=error'],
      command: [process.execPath, '-e', 'console.log("app uses " + process.env.DAPR_HTTP_PORT)'],
      env: { ...process.env, OUTRIGGER_HOME: ${JSON.stringify(folder.path)} }, print: console.log, color: false,
      findPorts: async (...given) => (asked++ === 0 ? ${JSON.stringify(first)} : freePorts(...given)),
      ...${JSON.stringify(more)}
    }).catch((error) => (console.log(error.message), 9))`,
  )
  const child = spawn(process.execPath, ['--conditions=@outrigger/source', program], { cwd: folder.path })
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL')
    await folder.remove()
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** A port on which somebody answers as a healthy sidecar does. */
async function foreignSidecar(): Promise<number> {
  const other = createServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
  await once(other.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void other.close())
  return (other.address() as AddressInfo).port
}

test.each([
  ['HTTP', 0],
  ['gRPC', 1],
])('when a port that was free is taken before the sidecar has it, another is: %s', async (_, index) => {
  const taken = await foreignSidecar()
  const first = [await freePort(), await freePort()]
  first[index] = taken
  const { code, output } = await runWith(first)
  expect(code, output).toBe(0)
  expect(output).toContain(`Port ${taken} was free and is taken now: the sidecar starts again on others\n`)
  const used = [...output.matchAll(/HTTP on 127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
  expect(used).toHaveLength(2)
  expect(output).toContain(`hello | app uses ${used[1]}\n`)
})

test('a port that was asked for is never changed', async () => {
  const taken = await foreignSidecar()
  const free = await freePort()
  const { code, output } = await runWith([free, free + 1], { sidecarFlags: [`--dapr-public-port=${taken}`] })
  expect(code, output).toBe(9)
  expect(output).toContain('choose another with --dapr-public-port')
  expect(output).not.toContain('was free')
  expect(output).toContain('the sidecar did not start; its log above says why')
})

test('Ctrl-C, which reaches the whole group of a terminal, cuts off nothing that is under way', async () => {
  const script = `import { createServer } from 'node:http'
    process.on('SIGINT', () => {})
    createServer((request, response) => {
      if (request.url !== '/work') return response.writeHead(404).end()
      console.log('working')
      process.on('SIGINT', () => setTimeout(() => response.end('done'), 500))
    }).listen(process.env.APP_PORT, '127.0.0.1')`
  const port = await freePort()
  const command = await run(script, { flags: ['-p', String(port)], group: true })
  await command.line("You're up and running")
  const answer = fetch(`${urlOf(command.output())}/v1.0/invoke/hello/method/work`)
  await command.line('working')
  process.kill(-command.child.pid!, 'SIGINT')
  expect(await (await answer).text()).toBe('done')
  expect(await command.ended).toBe(0)
  expect(command.output()).toContain('Daprd shutdown gracefully')
  expect(command.output()).not.toContain('a second request to stop')
})

test('a command that is killed takes its sidecar with it', async () => {
  const command = await run(idle)
  await command.line("You're up and running")
  await command.line('app is up as')
  const url = urlOf(command.output())
  const health = () => fetch(`${url}/v1.0/healthz/outbound`).then(({ status }) => status)
  expect(await health()).toBe(204)
  const app = Number(/app is up as (\d+)/.exec(command.output())![1])
  command.child.kill('SIGKILL')
  await waitFor(
    () =>
      health().then(
        () => false,
        () => true,
      ),
    { what: 'the end of the sidecar' },
  )
  process.kill(app, 'SIGKILL')
})

test('a terminal that closes ends both', async () => {
  const command = await run(idle)
  await command.line("You're up and running")
  await command.line('app is up as')
  const pid = Number(/app is up as (\d+)/.exec(command.output())![1])
  command.child.kill('SIGHUP')
  expect(await command.ended).toBe(0)
  expect(command.output()).toContain('Daprd shutdown gracefully')
  expect(isRunning(pid)).toBe(false)
})

test('who asks to end again and again need not wait for an application that does not', async () => {
  const command = await run(
    `for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {})\n${idle}`,
  )
  await command.line('app is up as')
  const pid = Number(/app is up as (\d+)/.exec(command.output())![1])
  const again = setInterval(() => command.child.kill('SIGINT'), 300)
  // It would be killed after 15 s anyway.
  const giveUp = setTimeout(() => clearInterval(again), 10_000)
  const start = performance.now()
  await command.ended
  clearInterval(again)
  clearTimeout(giveUp)
  expect(performance.now() - start).toBeLessThan(10_000)
  expect(isRunning(pid)).toBe(false)
})

test('when nobody reads the output any more, both end', async () => {
  const command = await run(
    `setInterval(() => console.log('still there'), 20)\nconsole.log('app is up as ' + process.pid)`,
  )
  await command.line('app is up as')
  const pid = Number(/app is up as (\d+)/.exec(command.output())![1])
  command.child.stdout!.destroy()
  expect(await command.ended).toBe(0)
  expect(isRunning(pid)).toBe(false)
})

test('an application that ends at once is told so, and nothing is announced afterwards', async () => {
  const port = await freePort()
  const command = await run(`console.log('last words')\nprocess.exitCode = 3`, {
    flags: ['-p', String(port)],
  })
  expect(await command.ended).toBe(3)
  expect(command.output()).toContain('hello | last words')
  expect(command.output()).toContain('The application ended with exit code 3')
  expect(command.output()).not.toContain("You're up and running")
})

test('what an application leaves behind does not hold the command', async () => {
  const command = await run(`import { spawn } from 'node:child_process'
    const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'inherit', detached: true })
    console.log('left ' + left.pid)
    process.exit(0)`)
  expect(await command.ended).toBe(0)
  const left = Number(/left (\d+)/.exec(command.output())![1])
  expect(isRunning(left)).toBe(true)
  process.kill(left, 'SIGKILL')
})
