import { errorTable } from '@outrigger/runtime'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWorld, type World } from './world.ts'

const runs = Number(process.env['OUTRIGGER_FUZZ_RUNS'] ?? 120)
const seed = Number(process.env['OUTRIGGER_SEED'] ?? 20261121)
const parameters = { numRuns: runs, seed }

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.runtime.stop())

/** Every route that takes a body, with one that is well formed. */
const routes: readonly { readonly path: string; readonly method?: string; readonly body: unknown }[] = [
  {
    path: '/v1.0/state/store',
    body: [
      {
        key: 'k',
        value: { n: 1 },
        etag: '1',
        metadata: { ttlInSeconds: '9' },
        options: { concurrency: 'first-write', consistency: 'strong' },
      },
    ],
  },
  { path: '/v1.0/state/store/bulk', body: { keys: ['k'], parallelism: 2, metadata: { a: 'b' } } },
  {
    path: '/v1.0/state/store/transaction',
    body: { operations: [{ operation: 'upsert', request: { key: 'k', value: 1 } }], metadata: { a: 'b' } },
  },
  {
    path: '/v1.0-alpha1/state/store/query',
    body: { filter: { EQ: { a: 'b' } }, sort: [{ key: 'a' }], page: { limit: 3 } },
  },
  {
    path: '/v1.0/publish/bulk/bus/orders',
    body: [{ entryId: '1', event: { n: 1 }, contentType: 'application/json', metadata: { a: 'b' } }],
  },
  { path: '/v1.0/bindings/files', body: { operation: 'create', data: 'x', metadata: { fileName: 'f' } } },
  { path: '/v1.0-alpha1/lock/locks', body: { resourceId: 'r', lockOwner: 'o', expiryInSeconds: 5 } },
  { path: '/v1.0-alpha1/unlock/locks', body: { resourceId: 'r', lockOwner: 'o' } },
  { path: '/v1.0-alpha1/subtlecrypto/keys/getkey', body: { name: 'aes', format: 'PEM' } },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/encrypt',
    body: { plaintext: 'aGVsbG8=', algorithm: 'A256GCM', keyName: 'aes', nonce: 'AAAAAAAAAAAAAAAA' },
  },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/decrypt',
    body: {
      ciphertext: 'aGVsbG8=',
      algorithm: 'A256GCM',
      keyName: 'aes',
      nonce: 'AAAAAAAAAAAAAAAA',
      tag: 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/wrapkey',
    body: { plaintextKey: 'aGVsbG8=', algorithm: 'A256KW', keyName: 'aes' },
  },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/unwrapkey',
    body: { wrappedKey: 'aGVsbG8=', algorithm: 'A256KW', keyName: 'aes' },
  },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/sign',
    body: { digest: 'aGVsbG8=', algorithm: 'RS256', keyName: 'aes' },
  },
  {
    path: '/v1.0-alpha1/subtlecrypto/keys/verify',
    body: { digest: 'aGVsbG8=', signature: 'aGVsbG8=', algorithm: 'RS256', keyName: 'aes' },
  },
]

/** What the catalogue has for a failure that is the component's, or of a binding. */
const documented = new Set(
  Object.values(errorTable)
    .filter(({ code }) => code !== 'ERROR')
    .map(({ code }) => code as string),
)

async function send(path: string, body: Uint8Array | string, method = 'POST', type = 'application/json') {
  const before = world.writes()
  const response = await fetch(world.url + path, {
    method,
    body: body as string,
    headers: { 'content-type': type },
  })
  const text = await response.text()
  return { status: response.status, text, wrote: world.writes() > before }
}

type Sent = Awaited<ReturnType<typeof send>>

/** Either it is served, or refused with an error of the catalogue before anything has changed. */
function judge({ status, text, wrote }: Sent): void {
  if (status < 300) return
  const { errorCode, message } = JSON.parse(text) as { errorCode: string; message: string }
  expect(documented, text.slice(0, 300)).toContain(errorCode)
  expect(message).not.toBe('')
  // What the component itself refused has reached it.
  if (status < 500 && status !== 409 && errorCode !== 'ERR_STATE_SAVE')
    expect(wrote, text.slice(0, 300)).toBe(false)
}

/** It cannot be served. */
function refused(sent: Sent): void {
  judge(sent)
  expect(sent.status, sent.text.slice(0, 300)).toBeGreaterThanOrEqual(400)
  // Whether the store has queries is asked first.
  if (sent.text.includes('ERR_STATE_STORE_NOT_SUPPORTED')) return
  expect(sent.status, sent.text.slice(0, 300)).toBeLessThan(500)
  expect(sent.wrote).toBe(false)
}

/** Puts a value in place of one part of a JSON document. */
function withPart(document: unknown, choice: number, value: unknown): unknown {
  const places: (readonly (string | number)[])[] = []
  const walk = (node: unknown, at: readonly (string | number)[]): void => {
    places.push(at)
    if (Array.isArray(node)) node.forEach((item, index) => walk(item, [...at, index]))
    else if (typeof node === 'object' && node !== null)
      for (const [key, item] of Object.entries(node)) walk(item, [...at, key])
  }
  walk(document, [])
  const place = places[choice % places.length]!
  if (place.length === 0) return value
  const copy = structuredClone(document) as Record<string | number, unknown>
  let node = copy
  for (const key of place.slice(0, -1)) node = node[key] as typeof node
  node[place.at(-1)!] = value
  return copy
}

describe.each(routes)('$path', ({ path, body }) => {
  const text = JSON.stringify(body)

  test('a wrong value in any place', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.jsonValue({ maxDepth: 3 }), async (choice, value) => {
        judge(await send(path, JSON.stringify(withPart(body, choice, value))))
      }),
      parameters,
    ),
  )

  test('cut off anywhere', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: text.length - 1 }), async (length) => {
        refused(await send(path, text.slice(0, length)))
      }),
      { ...parameters, numRuns: Math.min(runs, 30) },
    ),
  )

  test('any bytes', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        judge(await send(path, bytes))
      }),
      parameters,
    ),
  )

  test.each([
    ['nested a thousand times deeper than it may be', '['.repeat(100_000)],
    ['nested, and closed again', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    [
      'a byte that is no UTF-8 in a string',
      Buffer.concat([Buffer.from(`${text.slice(0, -1)},"x":"`), Buffer.of(0xff, 0xfe)]),
    ],
    ['nothing but a byte order mark', '\ufeff'],
    ['a number for all', '1'],
    ['null', 'null'],
  ])('%s', async (_, sent) => {
    judge(await send(path, sent))
  })
})

describe('paths, headers and plain bodies', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
  const cases: readonly (readonly [string, (part: string) => Promise<Sent>])[] = [
    ['state key', (part) => send(`/v1.0/state/store/${part}`, undefined as never, 'GET')],
    ['state store', (part) => send(`/v1.0/state/${part}/k`, undefined as never, 'GET')],
    ['delete', (part) => send(`/v1.0/state/store/${part}`, undefined as never, 'DELETE')],
    ['secret', (part) => send(`/v1.0/secrets/vault/${part}`, undefined as never, 'GET')],
    ['binding', (part) => send(`/v1.0/bindings/${part}`, '{}')],
    ['pubsub', (part) => send(`/v1.0/publish/${part}/orders`, '{}')],
    ['topic', (part) => send(`/v1.0/publish/bus/${part}`, '{}')],
    ['query', (part) => send(`/v1.0/publish/bus/orders?metadata.ttlInSeconds=${part}`, '{}')],
    ['consistency', (part) => send(`/v1.0/state/store/k?consistency=${part}`, undefined as never, 'GET')],
    ['configuration', (part) => send(`/v1.0/configuration/settings?key=${part}`, undefined as never, 'GET')],
    ['metadata key', (part) => send(`/v1.0/metadata/${part}`, 'x', 'PUT')],
  ]
  test.each(cases)('%s: any text', { timeout: 60_000 }, (_, ask) =>
    fc.assert(
      fc.asyncProperty(text, async (part) => {
        judge(await ask(encodeURIComponent(part.toWellFormed())))
      }),
      parameters,
    ),
  )

  test('CloudEvents of any shape', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), async (value) => {
        judge(
          await send(
            '/v1.0/publish/bus/orders',
            JSON.stringify(value),
            'POST',
            'application/cloudevents+json',
          ),
        )
      }),
      parameters,
    ),
  )

  test('streams that were never encrypted', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), async (bytes, like) => {
        const body = like ? Buffer.concat([Buffer.from('dapr.io/enc/v1\n'), bytes]) : bytes
        const sent = await send('/v1.0-alpha1/crypto/keys/decrypt', body, 'PUT', 'application/octet-stream')
        judge(sent)
        expect(sent.status).toBeGreaterThanOrEqual(400)
      }),
      parameters,
    ),
  )
})

test('the runtime is unharmed, and nothing was unforeseen', async () => {
  expect((await fetch(`${world.url}/v1.0/healthz`)).status).toBe(204)
  const errors = world.logger.records.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(errors.filter((message) => /foresaw|unexpected/.test(message))).toEqual([])
})
