import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@outrigger/testkit'
import { readFile } from 'node:fs/promises'
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
