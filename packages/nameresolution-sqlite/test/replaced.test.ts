import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { recordingLogger, waitFor } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { freshPath, open, portsOf, registration } from './support.ts'

test.each([
  ['with its log', ['', '-wal', '-shm']],
  ['without its log', ['']],
])(
  'a file that is deleted %s is made anew, and who was in it is found by those who come later',
  async (_, ends) => {
    const path = freshPath()
    const logger = recordingLogger()
    const first = await open(path, {}, { logger })
    const second = await open(path)
    await first.register!(registration('orders', 1), {})
    await second.register!(registration('orders', 2), {})
    const told: number[][] = []
    const tell = (found: readonly { readonly port: number }[]): void =>
      void told.push(found.map(({ port }) => port))
    await second.watch!({ appId: 'orders', namespace: 'default', metadata: {} }, tell, {})
    for (const end of ends) rmSync(path + end, { force: true })
    await waitFor(() => logger.messages('warn').length > 0)
    const late = await open(path)
    await waitFor(async () => (await portsOf(late, 'orders')).length === 2, { deadlineMs: 10_000 })
    await late.register!(registration('orders', 3), {})
    await waitFor(() => told.at(-1)?.length === 3, { deadlineMs: 10_000 })
    expect(await portsOf(first, 'orders')).toEqual([1, 2, 3])
    await first.close()
    await waitFor(() => told.at(-1)?.length === 2, { deadlineMs: 10_000 })
    expect(logger.messages('warn')).toEqual([
      'the file was taken away or replaced; the one that is there now is used',
    ])
  },
)

test('with the whole folder', async () => {
  const path = freshPath()
  const resolver = await open(path)
  await resolver.register!(registration('orders', 1), {})
  rmSync(dirname(path), { recursive: true })
  await waitFor(
    async () => {
      const late = await open(path)
      const found = await portsOf(late, 'orders')
      await late.close()
      return found.length === 1
    },
    { deadlineMs: 10_000 },
  )
})

test('while something else stands in its place the last one is used', async () => {
  const path = freshPath()
  const logger = recordingLogger()
  const resolver = await open(path, {}, { logger })
  await resolver.register!(registration('orders', 1), {})
  renameSync(path, `${path}.old`)
  writeFileSync(path, 'no database at all, however long one looks'.repeat(100))
  await waitFor(() => logger.messages('warn').length > 0)
  expect(await portsOf(resolver, 'orders')).toEqual([1])
  rmSync(path)
  mkdirSync(path)
  expect(await portsOf(resolver, 'orders')).toEqual([1])
  rmSync(path, { recursive: true })
  await waitFor(() => logger.messages('warn').length > 1, { deadlineMs: 10_000 })
  expect(await portsOf(await open(path), 'orders')).toEqual([1])
  expect(logger.messages('warn')).toEqual([
    'the file was taken away or replaced, and the one that is there cannot be used',
    'the file was taken away or replaced; the one that is there now is used',
  ])
})
