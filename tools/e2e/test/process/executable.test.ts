import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { freePort, tempFolder, waitFor } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import {
  App,
  Child,
  component,
  daprd,
  endApps,
  endSidecars,
  modulesPath,
  Sidecar,
  startSidecar,
} from '../../src/index.ts'

afterEach(async () => {
  await endSidecars()
  await endApps()
})

function launch(args: readonly string[]): Child {
  const child = new Child(daprd, args, { cwd: modulesPath })
  onTestFinished(async () => {
    if (child.running) await child.end('SIGKILL')
  })
  return child
}

test('flags with one dash or two, with = or a space, and booleans with and without a value', async () => {
  const [http, grpc] = [await freePort(), await freePort()]
  const child = launch([
    '-app-id',
    'one',
    `-dapr-http-port=${http}`,
    '--dapr-grpc-port',
    String(grpc),
    '--dapr-listen-addresses=127.0.0.1',
    '--enable-api-logging=true',
    '--log-as-json',
  ])
  const answer = await child.waitUntil(
    () => fetch(`http://127.0.0.1:${http}/v1.0/healthz?appid=one`).catch(() => undefined),
    'an answer',
  )
  expect(answer?.status).toBe(204)
  expect(await child.end()).toBe(0)
})

test('--version prints the version alone, --help every flag', async () => {
  const version = launch(['--version'])
  expect(await version.ended()).toBe(0)
  expect(version.lines).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+\S*$/)])
  const help = launch(['--help'])
  expect(await help.ended()).toBe(0)
  for (const flag of ['app-id', 'resources-path', 'dapr-http-port', 'max-body-size'])
    expect(help.output).toContain(`--${flag}`)
})

test.each([
  ['a flag that is none', ['--app-id=a', '--nosuch=1'], 'nosuch'],
  ['a flag with a slip', ['--app-id=a', '--dapr-http-prot=1'], 'dapr-http-port'],
  ['a port that is none', ['--app-id=a', '--dapr-http-port=http'], 'dapr-http-port'],
  ['a protocol that is none', ['--app-id=a', '--app-port=1', '--app-protocol=ftp'], 'app-protocol'],
])('%s: exit code 1 and its name', async (_name, args, word) => {
  const child = launch(args)
  expect(await child.ended()).toBe(1)
  expect(child.output).toContain(word)
  expect(child.output).not.toContain('    at ')
})

test('starts with nothing in its environment', async () => {
  const [http, grpc] = [await freePort(), await freePort()]
  const args = [
    '--conditions=@outrigger/source',
    daprd,
    '--app-id=a',
    `--dapr-http-port=${http}`,
    `--dapr-grpc-port=${grpc}`,
    '--dapr-listen-addresses=127.0.0.1',
  ]
  const child = spawn(process.execPath, args, { env: {}, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await waitFor(async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz`)).status === 204)
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
})

test('the README says how to make a daprd that needs no PATH, and it is found by its name', async () => {
  const { path, remove } = await tempFolder('no-path-')
  onTestFinished(remove)
  const readme = await readFile(join(dirname(daprd), '..', 'README.md'), 'utf8')
  const [, lines] = /### Without PATH[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)!
  // Installed as npm does it, but from sources, which need a flag.
  const installed = join(path, 'node_modules/@outrigger/runtime/dist')
  const bin = join(path, 'bin')
  await Promise.all([mkdir(installed, { recursive: true }), mkdir(bin)])
  await writeFile(join(installed, 'bin.js'), `import(${JSON.stringify(pathToFileURL(daprd).href)})`)
  await symlink(process.execPath, join(bin, 'node'))
  const made = spawn('/bin/sh', ['-e', '-c', lines!], { cwd: path, env: { PATH: `${bin}:/usr/bin:/bin` } })
  expect(await once(made, 'exit')).toEqual([0, null])
  const launcher = join(path, 'daprd')
  const text = await readFile(launcher, 'utf8')
  await writeFile(launcher, text.replace('\n', ' --conditions=@outrigger/source\n'))

  const [http, grpc] = [await freePort(), await freePort()]
  const flags = ['--app-id=a', `--dapr-http-port=${http}`, `--dapr-grpc-port=${grpc}`]
  const child = spawn(launcher, [...flags, '--dapr-listen-addresses=127.0.0.1'], { env: {}, stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await waitFor(async () => (await fetch(`http://127.0.0.1:${http}/v1.0/healthz`)).status === 204)
  if (process.platform === 'linux') {
    expect(await readFile(`/proc/${child.pid}/comm`, 'utf8')).toBe('daprd\n')
    const commandLine = (await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).split('\0')
    expect(commandLine.slice(2)).toEqual([launcher, ...flags, '--dapr-listen-addresses=127.0.0.1', ''])
  }
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await gone).toEqual([0, null])
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s: an orderly end with exit code 0', async (signal) => {
  const sidecar = await startSidecar({ resources: component('s', 'state.in-memory') })
  expect(await sidecar.child.end(signal)).toBe(0)
  expect(sidecar.log.at(-1)).toContain('Daprd shutdown gracefully')
})

test('a second signal ends at once what the first one waits for', async () => {
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    'POST /t': () => new Promise(() => {}),
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: component('pubsub', 'pubsub.in-memory'),
    flags: ['--dapr-graceful-shutdown-seconds=600'],
  })
  await fetch(`${sidecar.url}/v1.0/publish/pubsub/t`, { method: 'POST', body: 'x' })
  await app.received('/t')
  sidecar.child.signal('SIGTERM')
  await sidecar.child.waitUntil(
    () =>
      fetch(`${sidecar.url}/v1.0/healthz`).then(
        ({ status }) => status !== 204,
        () => true,
      ),
    'the sidecar says that it is leaving',
  )
  expect(sidecar.child.running).toBe(true)
  sidecar.child.signal('SIGTERM')
  expect(await sidecar.child.ended()).not.toBe(0)
})

test('what does not end in time is cut off, and said as Dapr says it', async () => {
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    'POST /t': () => new Promise(() => {}),
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: component('pubsub', 'pubsub.in-memory'),
    flags: ['--dapr-graceful-shutdown-seconds=1'],
  })
  await fetch(`${sidecar.url}/v1.0/publish/pubsub/t`, { method: 'POST', body: 'x' })
  await app.received('/t')
  expect(await sidecar.child.end('SIGTERM')).toBe(1)
  expect(sidecar.log.at(-1)).toContain('Graceful shutdown timeout exceeded, forcing shutdown')
  expect(sidecar.log.at(-1)).toContain('level=fatal')
})

test('--dapr-graceful-shutdown-seconds=0: there is no limit', async () => {
  const held = Promise.withResolvers<object>()
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    'POST /t': () => held.promise,
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: component('pubsub', 'pubsub.in-memory'),
    flags: ['--dapr-graceful-shutdown-seconds=0'],
  })
  await fetch(`${sidecar.url}/v1.0/publish/pubsub/t`, { method: 'POST', body: 'x' })
  await app.received('/t')
  sidecar.child.signal('SIGTERM')
  await sidecar.child.line('SIGTERM: stopping')
  // As long as with a limit of one second, and more.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(sidecar.child.running).toBe(true)
  held.resolve({})
  expect(await sidecar.child.ended()).toBe(0)
})

test('--dapr-block-shutdown-duration: the API serves until the application is unhealthy, nothing is delivered', async () => {
  let status = 200
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    'GET /healthz': () => ({ status }),
    'POST /t': {},
    'OPTIONS /tick': {},
    'POST /tick': {},
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: [
      component('pubsub', 'pubsub.in-memory'),
      component('store', 'state.in-memory'),
      component('tick', 'bindings.cron', { metadata: { schedule: '@every 100ms' } }),
    ],
    flags: [
      '--dapr-block-shutdown-duration=1h',
      '--enable-app-health-check',
      '--app-health-probe-interval=1',
      '--app-health-threshold=1',
    ],
  })
  const publish = () => fetch(`${sidecar.url}/v1.0/publish/pubsub/t`, { method: 'POST', body: 'x' })
  const health = async (path: string) => (await fetch(`${sidecar.url}/v1.0/healthz${path}`)).status
  await app.received('/tick')
  await publish()
  await app.received('/t')
  sidecar.child.signal('SIGTERM')
  await sidecar.child.waitUntil(async () => (await health('')) === 500, 'the sidecar says that it is leaving')
  expect(await health('/outbound')).toBe(204)
  const body = JSON.stringify([{ key: 'k', value: 1 }])
  const headers = { 'content-type': 'application/json' }
  expect((await fetch(`${sidecar.url}/v1.0/state/store`, { method: 'POST', headers, body })).status).toBe(204)
  const ticks = app.at('/tick').length
  expect((await publish()).status).toBe(204)
  // Several times as long as the next event takes to come.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(app.at('/tick').length - ticks).toBeLessThan(2)
  expect(app.at('/t')).toHaveLength(1)
  status = 500
  expect(await sidecar.child.ended()).toBe(0)
})

test('the application can ask for the end: it is not put off, and asking again hurries nothing', async () => {
  const held = Promise.withResolvers<object>()
  const app = await App.start({
    'GET /dapr/subscribe': [{ pubsubname: 'pubsub', topic: 't', route: '/t' }],
    'POST /t': () => held.promise,
  })
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: component('pubsub', 'pubsub.in-memory'),
    flags: ['--dapr-block-shutdown-duration=1h', '--dapr-graceful-shutdown-seconds=600'],
  })
  const ask = async () => (await fetch(`${sidecar.url}/v1.0/shutdown`, { method: 'POST' })).status
  await fetch(`${sidecar.url}/v1.0/publish/pubsub/t`, { method: 'POST', body: 'x' })
  await app.received('/t')
  sidecar.child.signal('SIGTERM')
  await sidecar.child.line('the shutdown is put off')
  expect(await ask()).toBe(204)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(await ask()).toBe(204)
  expect(sidecar.child.running).toBe(true)
  held.resolve({})
  expect(await sidecar.child.ended()).toBe(0)
})

test('a signal while it starts ends it as well', async () => {
  const sidecar = await Sidecar.launch({
    resources: component('slow', 'state.redis', {
      metadata: { redisHost: '127.0.0.1:1', redisMaxRetries: -1 },
    }).replace('  version', '  initTimeout: 60s\n  version'),
  })
  await sidecar.child.line('starting Outrigger')
  sidecar.child.signal('SIGTERM')
  expect(await sidecar.child.ended()).toBe(0)
  expect(sidecar.child.output).not.toContain('level=fatal')
})

test.each(['dapr-http-port', 'dapr-grpc-port'])(
  'a port that is taken: one line that names --%s',
  async (flag) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    const sidecar = await Sidecar.launch({ resources: '', flags: [`--${flag}=${port}`] })
    expect(await sidecar.child.ended()).toBe(1)
    const fatal = sidecar.log.filter((line) => line.includes('level=fatal'))
    expect(fatal).toHaveLength(1)
    expect(fatal[0]).toContain(`127.0.0.1:${port}`)
    expect(fatal[0]).toContain(`--${flag}`)
  },
)

test('every line of the log is logfmt, or JSON when asked for, on stdout', async () => {
  const text = await startSidecar({ appId: 'me', resources: component('s', 'state.in-memory') })
  await text.stop()
  expect(text.child.stdout).toEqual(text.log)
  for (const line of text.log) {
    expect(line).toMatch(
      /^time="[^"]+" level=(?:debug|info|warning|error|fatal) msg="(?:[^"\\]|\\.)*" app_id=me instance=\S+ scope=dapr\.\S+ type=log ver=\S+/,
    )
  }
  const json = await startSidecar({
    appId: 'me',
    resources: component('s', 'state.in-memory'),
    flags: ['--log-as-json=true'],
  })
  await json.stop()
  for (const line of json.log) {
    expect(JSON.parse(line)).toMatchObject({
      app_id: 'me',
      level: expect.any(String),
      msg: expect.any(String),
      time: expect.any(String),
      type: 'log',
    })
  }
})

test('SIGHUP reads everything anew, in the same process and on the same ports', async () => {
  const app = await App.start()
  const sidecar = await startSidecar({
    appPort: app.port,
    resources: [component('one', 'state.in-memory')],
  })
  const components = async (): Promise<string[]> => {
    const answer = await fetch(`${sidecar.url}/v1.0/metadata`)
    const { components: found = [] } = (await answer.json()) as { components?: { name: string }[] }
    return found.map(({ name }) => name)
  }
  const { pid } = sidecar.child
  expect(await components()).toEqual(['one'])
  await writeFile(join(sidecar.resourcesPath, 'two.yaml'), component('two', 'state.in-memory'))
  for (let round = 1; round <= 2; round++) {
    process.kill(pid, 'SIGHUP')
    const again = (): boolean =>
      sidecar.log.filter((line) => line.includes('dapr initialized')).length > round
    await waitFor(again, { what: `life ${round + 1}` })
    await sidecar.ready()
    expect((await components()).toSorted()).toEqual(['one', 'two'])
  }
  expect([sidecar.child.pid, sidecar.child.running]).toEqual([pid, true])
  expect(await sidecar.stop()).toBe(0)
})

test('a reload that finds what cannot be used ends the sidecar and says why', async () => {
  const sidecar = await startSidecar({ resources: [component('one', 'state.in-memory')] })
  await writeFile(join(sidecar.resourcesPath, 'two.yaml'), component('two', 'state.nothing'))
  process.kill(sidecar.child.pid, 'SIGHUP')
  expect(await sidecar.child.ended()).toBe(1)
  expect(sidecar.child.output).toMatch(/level=fatal .*state\.nothing needs the package/)
})
