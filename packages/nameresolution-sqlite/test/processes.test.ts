import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { freshPath, open, portsOf } from './support.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

/** Starts a process that registers an instance; resolves when it has. */
async function start(path: string, appId: string, port: number): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ['--conditions=@outrigger/source', script, path, appId, String(port)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout!, 'data')
  return child
}

test('processes that start together on a new file all find each other, and leave at once', async () => {
  const path = freshPath()
  const ports = [1, 2, 3, 4]
  const children = await Promise.all(ports.map((port) => start(path, 'orders', port)))
  const resolver = await open(path, { updateInterval: '4s' })
  expect(await portsOf(resolver, 'orders')).toEqual(ports)
  const told: number[] = []
  await resolver.watch!(
    { appId: 'orders', namespace: 'default', metadata: {} },
    (instances) => void told.push(instances.length),
    {},
  )
  const ends = children.map((child) => once(child, 'exit'))
  for (const child of children) child.stdin!.end()
  expect((await Promise.all(ends)).map(([code]) => code as number)).toEqual([0, 0, 0, 0])
  expect(await portsOf(resolver, 'orders')).toEqual([])
  await waitFor(() => told.at(-1) === 0)
})

test('a process that is killed is gone when it should have been renewed, one that lives stays', async () => {
  const path = freshPath()
  const [killed] = await Promise.all([start(path, 'orders', 1), start(path, 'orders', 2)])
  const resolver = await open(path, { updateInterval: '4s' })
  const told: number[][] = []
  await resolver.watch!(
    { appId: 'orders', namespace: 'default', metadata: {} },
    (instances) => void told.push(instances.map(({ port }) => port)),
    {},
  )
  expect(told).toEqual([[1, 2]])
  killed.kill('SIGKILL')
  await waitFor(() => told.length > 1)
  expect(told).toEqual([[1, 2], [2]])
})
