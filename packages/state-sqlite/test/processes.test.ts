import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { freshPath, json, open, textOf } from './support.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

function start(path: string, job: string): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=@outrigger/source', script, path, job], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

test('what was written before kill -9 is there afterwards', async () => {
  const path = freshPath()
  const child = start(path, 'write')
  let output = ''
  child.stdout!.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.split('\n').length > 300) child.kill('SIGKILL')
  })
  // The pipe is read to its end, so nothing that was said is missing.
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
  const said = output.split('\n').slice(0, -1).map(Number)
  expect(said.length).toBeGreaterThanOrEqual(300)
  const store = await open({ connectionString: path })
  for (const n of said) {
    expect(await textOf(store, `a${n}`)).toBe(`${n}`)
    expect(await textOf(store, `b${n}`)).toBe(`${n}`)
  }
})

test('processes that count with ETags lose no update', async () => {
  const path = freshPath()
  const store = await open({ connectionString: path, busyTimeout: '30s' })
  await store.set(json('counter', '0'), {})
  const children = [1, 2, 3].map(() => start(path, 'count'))
  const ends = children.map((child) => once(child, 'exit'))
  for (const child of children) child.stdin!.end('200\n')
  expect((await Promise.all(ends)).map(([code]) => code as number)).toEqual([0, 0, 0])
  expect(await textOf(store, 'counter')).toBe('600')
})
