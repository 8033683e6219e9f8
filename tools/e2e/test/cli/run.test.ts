import { freePort, waitFor } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { component } from '../../src/index.ts'
import { place, type Command } from './outrigger.ts'

const withInit = async (): Promise<Awaited<ReturnType<typeof place>>> => {
  const here = await place()
  expect((await here.outrigger(['init']).ended()).code).toBe(0)
  return here
}

async function nothingIsLeft(command: Command): Promise<void> {
  await waitFor(() => command.processes().length === 0, {
    what: 'the end of every process',
    deadlineMs: 5000,
  }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(command.processes())}`)
  })
}

const isSidecar = (command: string): boolean => command.includes('--dapr-http-port=')
const idle = `console.log('app is up'); setInterval(() => {}, 1000)`

test('runs an application with its sidecar: state and messages work, the environment says where', async () => {
  const here = await withInit()
  const port = await freePort()
  const app = await here.write(
    'app.mjs',
    `import { createServer } from 'node:http'
    const dapr = 'http://127.0.0.1:' + process.env.DAPR_HTTP_PORT
    const json = { 'content-type': 'application/json' }
    createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += chunk)).on('end', () => {
        if (request.url === '/dapr/config') return response.writeHead(404).end()
        if (request.url === '/dapr/subscribe') return response.end(JSON.stringify([{ pubsubname: 'pubsub', topic: 't', route: '/t' }]))
        response.end()
        console.log('message ' + JSON.parse(body).data.n)
        process.exit(0)
      })
    }).listen(process.env.APP_PORT, '127.0.0.1', async () => {
      const { APP_ID, DAPR_APP_ID, APP_PORT, DAPR_GRPC_PORT, DAPR_HTTP_ENDPOINT, DAPR_GRPC_ENDPOINT } = process.env
      console.log(JSON.stringify({ APP_ID, DAPR_APP_ID, APP_PORT, DAPR_HTTP_ENDPOINT, DAPR_GRPC_ENDPOINT, DAPR_GRPC_PORT, dapr }))
      console.log('saved ' + (await fetch(dapr + '/v1.0/state/statestore', { method: 'POST', headers: json, body: '[{"key":"k","value":7}]' })).status)
      console.log('read ' + (await (await fetch(dapr + '/v1.0/state/statestore/k')).text()))
      console.error('this goes to stderr')
      for (;;) {
        if ((await fetch(dapr + '/v1.0/healthz')).status === 204) break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await fetch(dapr + '/v1.0/publish/pubsub/t', { method: 'POST', headers: json, body: '{"n":42}' })
    })`,
  )
  const command = here.outrigger([
    'run',
    '--app-id',
    'hello',
    '--app-port',
    String(port),
    '--',
    process.execPath,
    app,
  ])
  const { code, output } = await command.ended()
  expect(code, output).toBe(0)
  const lines = output.split('\n')
  const said = JSON.parse(lines.find((line) => line.startsWith('hello | {'))!.slice('hello | '.length))
  expect(said).toMatchObject({
    APP_ID: 'hello',
    DAPR_APP_ID: 'hello',
    APP_PORT: String(port),
    DAPR_HTTP_ENDPOINT: said.dapr,
    DAPR_GRPC_ENDPOINT: `http://127.0.0.1:${said.DAPR_GRPC_PORT}`,
  })
  expect(lines[0]).toBe(
    `Starting hello. Sidecar: HTTP on ${said.dapr.slice(7)}, gRPC on 127.0.0.1:${said.DAPR_GRPC_PORT}`,
  )
  for (const line of [
    'hello | saved 204',
    'hello | read 7',
    'hello | message 42',
    'hello | this goes to stderr',
  ]) {
    expect(lines).toContain(line)
  }
  expect(lines).toContain('hello sidecar | component loaded: statestore (state.sqlite/v1)')
  expect(output).toContain("You're up and running! hello has its sidecar on")
  await nothingIsLeft(command)
})

test.each([0, 7])('ends with the exit code of the application: %i', async (code) => {
  const here = await withInit()
  const command = here.outrigger([
    'run',
    '-a',
    'hello',
    '--',
    process.execPath,
    '-e',
    `process.exit(${code})`,
  ])
  const ended = await command.ended()
  expect(ended.code).toBe(code)
  expect(ended.output).toContain(`The application ended with exit code ${code}`)
  await nothingIsLeft(command)
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends both, the sidecar in order', async (signal) => {
  const here = await withInit()
  const app = `process.on('SIGTERM', () => { console.log('app says goodbye'); process.exit(0) }); ${idle}`
  const command = here.outrigger(['run', '-a', 'hello', '--', process.execPath, '-e', app])
  await command.child.line('app is up')
  await command.child.line("You're up and running")
  expect(command.processes()).toHaveLength(3)
  command.child.signal(signal)
  const { code, output } = await command.ended()
  expect(code).toBe(0)
  expect(output).toContain('hello | app says goodbye')
  expect(output).toContain('hello sidecar | Daprd shutdown gracefully')
  await nothingIsLeft(command)
})

test('when the sidecar is killed the application ends too, with exit code 1', async () => {
  const here = await withInit()
  const command = here.outrigger(['run', '-a', 'hello', '--', process.execPath, '-e', idle])
  await command.child.line('app is up')
  const sidecar = command.processes().find((process) => isSidecar(process.command))!
  process.kill(sidecar.pid, 'SIGKILL')
  const { code, output } = await command.ended()
  expect(code).toBe(1)
  expect(output).toContain('The sidecar ended by itself')
  await nothingIsLeft(command)
})

test('when the application is killed the sidecar ends in order', async () => {
  const here = await withInit()
  const command = here.outrigger(['run', '-a', 'hello', '--', process.execPath, '-e', idle])
  await command.child.line('app is up')
  const app = command
    .processes()
    .find((process) => process.command.includes('app is up') && !process.command.includes(' run '))!
  process.kill(app.pid, 'SIGKILL')
  const { code, output } = await command.ended()
  expect(code).toBe(137)
  expect(output).toContain('hello sidecar | Daprd shutdown gracefully')
  await nothingIsLeft(command)
})

test('a sidecar that cannot start shows why, and the application is not started', async () => {
  const here = await place()
  const file = await here.write('broken.yaml', component('store', 'state.in-memory', { version: 'v9' }))
  const command = here.outrigger([
    'run',
    '-a',
    'hello',
    '-d',
    here.folder,
    '--modules-path',
    '/',
    '--',
    process.execPath,
    '-e',
    idle,
  ])
  const refused = await command.ended()
  // --modules-path is the command's own affair.
  expect(refused.code).not.toBe(0)
  expect(refused.output).toContain('--modules-path')
  const again = here.outrigger(['run', '-a', 'hello', '-d', file, '--', process.execPath, '-e', idle])
  const { code, output } = await again.ended()
  expect(code).toBe(1)
  expect(output).toMatch(new RegExp(`hello sidecar \\| fatal: .*broken\\.yaml:\\d+: Component "store"`))
  expect(output).toContain('the sidecar did not start; its log above says why')
  expect(output).not.toContain('app is up')
  await nothingIsLeft(again)
})

test('an application that does not exist', async () => {
  const here = await withInit()
  const command = here.outrigger(['run', '-a', 'hello', '--', '/nowhere/app'])
  const { code, output } = await command.ended()
  expect(code).toBe(127)
  expect(output).toContain('/nowhere/app could not be started')
  await nothingIsLeft(command)
})

test('flags of the sidecar are passed on; a mistake is named', async () => {
  const here = await withInit()
  const port = await freePort()
  const args = [
    'run',
    '-a',
    'hello',
    '--dapr-http-port',
    String(port),
    '--log-level',
    'debug',
    '--max-body-size=1Ki',
  ]
  const script = `fetch('http://127.0.0.1:${port}/v1.0/state/statestore', { method: 'POST', body: 'x'.repeat(2000) }).then((answer) => answer.text()).then((text) => { console.log(text); process.exit(0) })`
  const { code, output } = await here.outrigger([...args, '--', process.execPath, '-e', script]).ended()
  expect(code).toBe(0)
  expect(output).toContain('ERR_BODY_READ')
  const wrong = await here.outrigger(['run', '-a', 'hello', '--nosuch-flag', '1', '--', 'true']).ended()
  expect(wrong.code).not.toBe(0)
  expect(wrong.output).toContain('--nosuch-flag')
  const noId = await here.outrigger(['run', '--', 'true']).ended()
  expect(noId.code).not.toBe(0)
  expect(noId.output).toContain('--app-id')
})

test('without init there is one line that says what to do', async () => {
  const here = await place()
  const { code, output } = await here.outrigger(['run', '-a', 'hello', '--', 'true']).ended()
  expect(code).toBe(1)
  expect(output.split('\n')).toEqual([
    expect.stringMatching(/^outrigger: there are no resources: run "outrigger init" once/),
  ])
})
