import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createForTest } from '@outrigger/conformance'
import type { CryptoProvider } from '@outrigger/spec'
import { recordingLogger, virtualClock, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import definition from '../src/index.ts'

const set = (...kids: string[]): string =>
  JSON.stringify({ keys: kids.map((kid) => ({ kty: 'oct', kid, k: randomBytes(32).toString('base64url') })) })
const wrap = (provider: CryptoProvider, keyName: string) =>
  provider.wrapKey!({ keyName, algorithm: 'A256KW', plaintextKey: new Uint8Array(32) }, {})

/** A server whose answer can be exchanged, and its address. */
async function serve(first: RequestListener) {
  const state = { answer: first, requests: 0 }
  const server = createServer((request, response) => {
    state.requests++
    state.answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { state, jwks: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?token=SECRET` }
}

const text =
  (body: string, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body)

test('a set is fetched again when it is older than the interval, once for all who ask', async () => {
  const { state, jwks } = await serve(text(set('a')))
  const clock = virtualClock()
  const logger = recordingLogger()
  const provider = await createForTest(definition, {
    properties: { jwks, minRefreshInterval: '5m' },
    clock,
    logger,
  })
  expect(logger.messages('warn')).toEqual([expect.stringContaining('comes over http')])
  state.answer = text(set('b'))
  await clock.advance(299_000)
  await wrap(provider, 'a')
  expect(state.requests).toBe(1)
  await clock.advance(2000)
  await Promise.all([wrap(provider, 'b'), wrap(provider, 'b')])
  await expect(wrap(provider, 'a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(state.requests).toBe(2)
  await provider.close()
})

test('a failure leaves the former keys, is asked again after 30 seconds, and shows nothing of the address', async () => {
  const { state, jwks } = await serve(text(set('a')))
  const clock = virtualClock()
  const logger = recordingLogger()
  const provider = await createForTest(definition, { properties: { jwks }, clock, logger })
  for (const [answer, problem] of [
    [text('SECRET', 503), 'it answers with status 503'],
    [text('{"SECRET"'), 'is not valid JSON'],
    [text('x'.repeat(2 ** 20 + 1)), 'it is larger than 1048576 bytes'],
    [(request: { destroy(): void }) => request.destroy(), 'the set cannot be fetched from 127.0.0.1'],
  ] as const) {
    state.answer = answer as RequestListener
    await clock.advance(600_001)
    await wrap(provider, 'a')
    const { requests } = state
    await expect(provider.ping!({})).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(problem) as string,
    })
    expect(state.requests, 'not asked again so soon').toBe(requests)
  }
  expect(JSON.stringify(logger.records.map(({ message, fields }) => [message, fields]))).not.toContain(
    'SECRET',
  )
  state.answer = text(set('b'))
  await clock.advance(30_001)
  await wrap(provider, 'b')
  await provider.ping!({})
})

test('no answer in time, at the start and later', async () => {
  const { state, jwks } = await serve(() => {})
  const clock = virtualClock()
  const options = { properties: { jwks, requestTimeout: '7s' }, clock }
  const starting = createForTest(definition, options).catch((error: unknown) => error)
  await waitFor(() => state.requests === 1)
  await clock.advance(7001)
  expect(await starting).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('no answer within 7000 ms') as string,
  })

  state.answer = text(set('a'))
  const provider = await createForTest(definition, options)
  state.answer = () => {}
  await clock.advance(600_001)
  const waiting = wrap(provider, 'a')
  await waitFor(() => state.requests === 3)
  await clock.advance(7001)
  expect((await waiting).wrappedKey).toHaveLength(40)
})

test('closing does not wait for an answer', async () => {
  const { state, jwks } = await serve(text(set('a')))
  const clock = virtualClock()
  const provider = await createForTest(definition, { properties: { jwks }, clock })
  state.answer = () => {}
  await clock.advance(600_001)
  const waiting = wrap(provider, 'a').catch((error: unknown) => error)
  await waitFor(() => state.requests === 2)
  await provider.close()
  expect(await waiting).toMatchObject({ code: 'CLOSED' })
})
