import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))

async function daprd(args: readonly string[], until?: string) {
  const child = spawn(process.execPath, ['--conditions=@outrigger/source', bin, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (until !== undefined && out.includes(until)) child.kill('SIGTERM')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

test('a log file that cannot be opened is a line, not a stack', async () => {
  expect(await daprd(['--app-id=shop', '--log-file=/does/not/exist/log'])).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(
      /^daprd: the log file \/does\/not\/exist\/log cannot be opened: .*: correct --log-file\ndaprd: see --help\n$/,
    ),
  })
})

test('the log goes to the file as well, to its last line', async () => {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const file = join(folder.path, 'log')
  const args = [
    '--app-id=shop',
    '--dapr-http-port=0',
    '--dapr-grpc-port=0',
    '--dapr-listen-addresses=127.0.0.1',
  ]
  const { code, out, err } = await daprd([...args, `--log-file=${file}`], 'dapr initialized')
  expect([code, err]).toEqual([0, ''])
  expect(out).toContain('Daprd shutdown gracefully')
  expect(await readFile(file, 'utf8')).toBe(out)
})

test('every mistake in the flags is told at once', async () => {
  const { code, out, err } = await daprd(['--app-port=99999', '--log-leve=info'])
  expect([code, out]).toEqual([1, ''])
  expect(err.split('\n')).toEqual([
    'daprd: --log-leve is not known; did you mean --log-level?',
    'daprd: --app-port=99999 is not a port from 0 to 65535',
    'daprd: see --help',
    '',
  ])
})

test('--wait is a question to a sidecar and starts none', async () => {
  const asked: string[] = []
  const other = createServer((request, response) => {
    asked.push(request.url!)
    response.writeHead(asked.length < 3 ? 500 : 204).end()
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  const { code, out, err } = await daprd(['--wait', `--dapr-http-port=${port}`])
  expect([code, err]).toEqual([0, ''])
  expect(out).toBe(`waiting up to 60 s for the sidecar at http://127.0.0.1:${port}\nthe sidecar is ready\n`)
  expect(asked).toEqual(['/v1.0/healthz/outbound', '/v1.0/healthz/outbound', '/v1.0/healthz/outbound'])
})

test('a component that never comes ends the start with an error, though nothing else is under way', async () => {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const place = join(folder.path, 'node_modules', '@outrigger', 'state-hanging')
  await mkdir(place, { recursive: true })
  await writeFile(join(place, 'package.json'), '{"type":"module","exports":"./index.js"}')
  const metadata = '{ fields: [], openPrefixes: [], parse: () => ({ value: {}, unknown: [] }) }'
  const version = `{ metadata: ${metadata}, capabilities: [], create: () => new Promise(() => {}) }`
  await writeFile(
    join(place, 'index.js'),
    `export default { contract: 'state/1', type: 'state.hanging', title: 'Hanging', versions: { v1: ${version} } }`,
  )
  const file = join(folder.path, 'store.yaml')
  await writeFile(
    file,
    'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: store }\nspec: { type: state.hanging, version: v1, initTimeout: 300ms }\n',
  )
  const { code, out } = await daprd(['--app-id=shop', `--resources-path=${folder.path}`])
  expect(code).toBe(1)
  expect(out).toContain('is not ready after 300 ms')
})
