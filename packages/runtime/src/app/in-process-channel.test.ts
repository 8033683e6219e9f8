import { expect, test } from 'vitest'
import { createInProcessChannel, type InProcessApp } from './in-process-channel.ts'

const text = async (body: { bytes(): Promise<Uint8Array> }): Promise<string> =>
  Buffer.from(await body.bytes()).toString()
const get = { method: 'GET', path: '/x' }

test('an application is a function from requests to responses', async () => {
  const channel = createInProcessChannel(({ method, path, fields, body }) => ({
    status: 201,
    fields: ['x-a', '1'],
    body: `${method} ${path} ${fields.get('x-b')} ${Buffer.from(body).toString()}`,
  }))
  async function* chunks() {
    yield Buffer.from('in ')
    yield Buffer.from('pieces')
  }
  const answer = await channel.call({ method: 'POST', path: '/x?y', fields: ['x-b', '2'], body: chunks() })
  expect([answer.status, answer.fields.get('x-a'), await text(answer.body)]).toEqual([
    201,
    '1',
    'POST /x?y 2 in pieces',
  ])
})

test('what it throws is a 500, and nothing is an empty answer', async () => {
  const failing = await createInProcessChannel(() => Promise.reject(new Error('no luck'))).call(get)
  expect([failing.status, await text(failing.body)]).toEqual([500, 'no luck'])
  const silent = await createInProcessChannel(() => {}).call(get)
  expect([silent.status, await text(silent.body)]).toEqual([200, ''])
})

test('an application that hangs and does not listen to its signal holds up nobody', async () => {
  const life = new AbortController()
  const call = createInProcessChannel(() => new Promise<never>(() => {})).call({
    ...get,
    signal: life.signal,
  })
  life.abort(new Error('stopping'))
  await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: life.signal.reason })
  const called: string[] = []
  const app: InProcessApp = ({ path }) => void called.push(path)
  await expect(createInProcessChannel(app).call({ ...get, signal: life.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
  expect(called).toEqual([])
})

test('so many calls at once, and no more; probes do not wait', async () => {
  const open: (() => void)[] = []
  const started: string[] = []
  const app: InProcessApp = async ({ path }) => {
    started.push(path)
    if (path !== '/healthz') await new Promise<void>((resolve) => open.push(resolve))
  }
  const channel = createInProcessChannel(app, { maxConcurrency: 1, maxWaiting: 1 })
  const first = channel.call({ ...get, path: '/1' })
  const second = channel.call({ ...get, path: '/2' })
  await expect(channel.call({ ...get, path: '/3' })).rejects.toMatchObject({ name: 'AppBusyError' })
  await channel.call({ ...get, path: '/healthz', unlimited: true })
  expect(started).toEqual(['/1', '/healthz'])
  open.shift()!()
  await first
  await expect.poll(() => started).toEqual(['/1', '/healthz', '/2'])
  open.shift()!()
  await second
})

test('a body that is larger than wanted is an error', async () => {
  const { body } = await createInProcessChannel(() => ({ body: 'long' })).call(get)
  await expect(body.bytes(3)).rejects.toMatchObject({ code: 'TOO_LARGE' })
})
