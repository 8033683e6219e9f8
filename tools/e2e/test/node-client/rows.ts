import { isOutriggerError, type Client, type StateItem } from '@outrigger/client'

/** One call, or a few that belong together. Its answer must be the same whatever the transport. */
export interface Row {
  readonly name: string
  readonly run: (client: Client) => Promise<unknown>
  /** `errorCode` of the failure; without it the call succeeds. */
  readonly fails?: string
  /** What it answers, where that is worth saying. */
  readonly answers?: unknown
  /** The sidecar has no components. */
  readonly empty?: true
}

const item = (found: StateItem | undefined): unknown =>
  found === undefined ? undefined : { key: found.key, text: found.text(), etag: found.etag !== undefined }

export async function gather(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts)
}

async function whole(response: Response): Promise<unknown> {
  const { status, headers } = response
  return {
    status,
    type: headers.get('content-type'),
    verb: headers.get('x-verb'),
    query: headers.get('x-query'),
    body: await response.text(),
  }
}

export async function* much(bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes; at += 100_000) yield Buffer.alloc(100_000, at / 100_000)
}

const wrap = { keyName: 'aes.key', keyWrapAlgorithm: 'A256KW' }

const state: readonly Row[] = ['memory', 'sqlite'].flatMap((store): Row[] => [
  {
    name: `${store}: a value comes back as it was`,
    async run({ state }) {
      await state.save(store, 'k', { n: 1, text: 'ä' })
      return [await state.get(store, 'k'), item(await state.getItem(store, 'k'))]
    },
    answers: [
      { n: 1, text: 'ä' },
      { key: 'k', text: '{"n":1,"text":"ä"}', etag: true },
    ],
  },
  {
    name: `${store}: nothing is undefined`,
    run: ({ state }) => state.get(store, 'none'),
    answers: undefined,
  },
  {
    name: `${store}: JSON in bytes stays digit for digit`,
    async run({ state }) {
      await state.save(store, 'digits', Buffer.from('{"n": 12345678901234567890.10}'))
      const [bulk] = await state.getBulk(store, ['digits'])
      return [item(await state.getItem(store, 'digits')), bulk?.item?.text()]
    },
    answers: [
      { key: 'digits', text: '{"n": 12345678901234567890.10}', etag: true },
      '{"n": 12345678901234567890.10}',
    ],
  },
  {
    name: `${store}: awkward keys and values`,
    async run({ state }) {
      const values = ['', null, false, 0, [], 'a "b" \\ \n ü 𝄞']
      const keys = ['a/b', '..', '.', 'a b', 'a+b?c#d%', 'ü𝄞']
      await state.saveBulk(
        store,
        keys.map((key, index) => ({ key, value: values[index] })),
      )
      const read = await Promise.all(keys.map((key) => state.get(store, key)))
      const bulk = await state.getBulk(store, [...keys, 'none'])
      const sorted = bulk.toSorted((a, b) => (a.key < b.key ? -1 : 1))
      const found = sorted.map((each) => [each.key, each.item?.json(), each.error])
      for (const key of keys) await state.delete(store, key)
      return [read, found, await state.get(store, 'a/b')]
    },
  },
  {
    name: `${store}: an ETag guards a write`,
    async run({ state }) {
      await state.save(store, 'guarded', 1)
      const first = await state.getItem(store, 'guarded')
      await state.save(store, 'guarded', 2, { etag: first!.etag })
      return state.save(store, 'guarded', 3, { etag: first!.etag })
    },
    fails: 'ERR_STATE_SAVE',
  },
  {
    name: `${store}: an ETag guards a deletion`,
    async run({ state }) {
      await state.save(store, 'guarded', 1)
      const first = await state.getItem(store, 'guarded')
      await state.save(store, 'guarded', 2)
      return state.delete(store, 'guarded', { etag: first!.etag })
    },
    fails: 'ERR_STATE_DELETE',
  },
  {
    name: `${store}: first write wins`,
    async run({ state }) {
      await state.delete(store, 'first')
      await state.save(store, 'first', 1, { concurrency: 'first-write' })
      return state.save(store, 'first', 2, { concurrency: 'first-write' })
    },
    fails: 'ERR_STATE_SAVE',
  },
  {
    name: `${store}: a value with a time to live says when it ends`,
    async run({ state }) {
      await state.save(store, 'mortal', 1, { ttlSeconds: 1000 })
      const expires = (await state.getItem(store, 'mortal'))?.expiresAt?.getTime() ?? 0
      const [bulk] = await state.getBulk(store, ['mortal'])
      await state.save(store, 'mortal', 1, { ttlSeconds: 'never' })
      const later = await state.getItem(store, 'mortal')
      return [
        Math.abs(expires - Date.now() - 1_000_000) < 60_000,
        bulk?.item?.expiresAt?.getTime() === expires,
        later?.expiresAt,
      ]
    },
    answers: [true, true, undefined],
  },
  {
    name: `${store}: a transaction does all`,
    async run({ state }) {
      await state.save(store, 'old', 1)
      await state.transaction(store, [
        { operation: 'upsert', key: 'new', value: { x: 1 } },
        { operation: 'delete', key: 'old' },
      ])
      return [await state.get(store, 'new'), await state.get(store, 'old')]
    },
    answers: [{ x: 1 }, undefined],
  },
  {
    name: `${store}: or nothing`,
    async run({ state }) {
      await state.save(store, 'stays', 1)
      const failed = await state
        .transaction(store, [
          { operation: 'upsert', key: 'stays', value: 2 },
          { operation: 'delete', key: 'stays', etag: '999999' },
        ])
        .catch((error: unknown) => isOutriggerError(error, 'ERR_STATE_TRANSACTION'))
      return [failed, await state.get(store, 'stays')]
    },
    answers: [true, 1],
  },
  {
    name: `${store}: queries, which it cannot`,
    run: ({ state }) => state.query(store, { filter: { EQ: { n: 1 } } }),
    fails: 'ERR_STATE_STORE_NOT_SUPPORTED',
  },
  {
    name: `${store}: a key with ||`,
    run: ({ state }) => state.save(store, 'a||b', 1),
    fails: 'ERR_MALFORMED_REQUEST',
  },
])

const rest: readonly Row[] = [
  {
    name: 'a store that is not there',
    run: ({ state }) => state.get('nosuch', 'k'),
    fails: 'ERR_STATE_STORE_NOT_FOUND',
  },
  {
    name: 'no store at all',
    run: ({ state }) => state.get('memory', 'k'),
    fails: 'ERR_STATE_STORE_NOT_CONFIGURED',
    empty: true,
  },
  { name: 'an empty key', run: ({ state }) => state.get('memory', ''), fails: 'ERR_CLIENT_ARGUMENT' },
  {
    name: 'a value that is no JSON',
    run: ({ state }) => state.save('memory', 'k', () => 1),
    fails: 'ERR_CLIENT_ARGUMENT',
  },
  {
    name: 'a time to live of 0',
    run: ({ state }) => state.save('memory', 'k', 1, { ttlSeconds: 0 }),
    fails: 'ERR_CLIENT_ARGUMENT',
  },
  {
    name: 'a signal that has aborted',
    run: ({ state }) => state.get('memory', 'k', { signal: AbortSignal.abort() }),
    fails: 'ERR_CLIENT_CANCELLED',
  },
  { name: 'publish', run: ({ pubsub }) => pubsub.publish('bus', 'orders', { id: 1 }) },
  {
    name: 'publish raw',
    run: ({ pubsub }) =>
      pubsub.publish('bus', 'orders', Buffer.from([0, 255]), { rawPayload: true, ttlSeconds: 5 }),
  },
  {
    name: 'publish to nowhere',
    run: ({ pubsub }) => pubsub.publish('nosuch', 'orders', 1),
    fails: 'ERR_PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish what is forbidden',
    run: ({ pubsub }) => pubsub.publish('bus', 'secret', 1),
    fails: 'ERR_PUBSUB_FORBIDDEN',
  },
  {
    name: 'publish a CloudEvent that is none',
    run: ({ pubsub }) =>
      pubsub.publish('bus', 'orders', '[', { contentType: 'application/cloudevents+json' }),
    fails: 'ERR_PUBSUB_CLOUD_EVENTS_SER',
  },
  {
    name: 'publish many',
    run: ({ pubsub }) =>
      pubsub.publishBulk('bus', 'orders', [
        { data: { id: 1 } },
        { data: 'text' },
        { data: Buffer.from([1, 2]) },
      ]),
    answers: { failed: [] },
  },
  {
    name: 'publish many to nowhere',
    run: ({ pubsub }) => pubsub.publishBulk('nosuch', 'orders', [{ data: 1 }]),
    fails: 'ERR_PUBSUB_NOT_FOUND',
  },
  {
    name: 'publish many under one id',
    run: ({ pubsub }) =>
      pubsub.publishBulk('bus', 'orders', [
        { entryId: 'a', data: 1 },
        { entryId: 'a', data: 2 },
      ]),
    fails: 'ERR_PUBSUB_EVENTS_SER',
  },
  {
    name: 'publish many of which one is no JSON',
    run: ({ pubsub }) =>
      pubsub.publishBulk('bus', 'orders', [{ data: '{', contentType: 'application/json' }]),
    fails: 'ERR_CLIENT_ARGUMENT',
  },
  {
    name: 'a binding carries operations out',
    async run({ bindings }) {
      await bindings.invoke('files', 'create', { a: 1 }, { metadata: { fileName: 'a.json' } })
      const { bytes } = await bindings.invoke('files', 'get', undefined, { metadata: { fileName: 'a.json' } })
      return Buffer.from(bytes).toString()
    },
    answers: '{"a":1}',
  },
  {
    name: 'a binding that is not there',
    run: ({ bindings }) => bindings.invoke('nosuch', 'get'),
    fails: 'ERR_INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'an operation that is not there',
    run: ({ bindings }) => bindings.invoke('files', 'nosuch'),
    fails: 'ERR_INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'a secret',
    run: ({ secrets }) => secrets.get('vault', 'password'),
    answers: { password: 'swordfish' },
  },
  { name: 'all secrets', run: ({ secrets }) => secrets.getBulk('vault') },
  {
    name: 'a secret that is not there',
    run: ({ secrets }) => secrets.get('vault', 'nosuch'),
    fails: 'ERR_SECRET_GET',
  },
  {
    name: 'secrets of a store that is not there',
    run: ({ secrets }) => secrets.getBulk('nosuch'),
    fails: 'ERR_SECRET_STORE_NOT_FOUND',
  },
  {
    name: 'secrets without stores',
    run: ({ secrets }) => secrets.get('vault', 'password'),
    fails: 'ERR_SECRET_STORES_NOT_CONFIGURED',
    empty: true,
  },
  {
    name: 'configuration',
    run: ({ configuration }) => configuration.get('settings', ['colour', 'nosuch']),
    answers: { colour: { value: 'red', version: '', metadata: {} } },
  },
  {
    name: 'configuration that is not there',
    run: ({ configuration }) => configuration.get('settings', ['nosuch']),
    answers: {},
  },
  {
    name: 'configuration of no store',
    run: ({ configuration }) => configuration.get('nosuch', ['a']),
    fails: 'ERR_CONFIGURATION_STORE_NOT_FOUND',
  },
  {
    name: 'changes of no store',
    run: ({ configuration }) => configuration.subscribe('nosuch', ['a']),
    fails: 'ERR_CONFIGURATION_STORE_NOT_FOUND',
  },
  {
    name: 'changes where there is none',
    run: ({ configuration }) => configuration.subscribe('settings', ['a']),
    fails: 'ERR_CONFIGURATION_STORE_NOT_CONFIGURED',
    empty: true,
  },
  {
    name: 'a lock',
    async run({ lock }) {
      const request = { resourceId: 'door', owner: 'me', expirySeconds: 60 }
      return [
        await lock.tryLock('locks', request),
        await lock.tryLock('locks', { ...request, owner: 'you' }),
        await lock.unlock('locks', { ...request, owner: 'you' }),
        await lock.unlock('locks', request),
        await lock.unlock('locks', request),
      ]
    },
    answers: [true, false, 'lock-belongs-to-others', 'success', 'lock-does-not-exist'],
  },
  {
    name: 'a lock for no time',
    run: ({ lock }) => lock.tryLock('locks', { resourceId: 'a', owner: 'me', expirySeconds: 0 }),
    fails: 'ERR_CLIENT_ARGUMENT',
  },
  {
    name: 'a lock of no store',
    run: ({ lock }) => lock.unlock('nosuch', { resourceId: 'a', owner: 'me' }),
    fails: 'ERR_LOCK_STORE_NOT_FOUND',
  },
  {
    name: 'a lock with ||',
    run: ({ lock }) => lock.tryLock('locks', { resourceId: 'a||b', owner: 'me', expirySeconds: 9 }),
    fails: 'ERR_TRY_LOCK',
  },
  {
    name: 'what is encrypted can be decrypted, piece by piece',
    async run({ crypto }) {
      async function* data(): AsyncGenerator<Uint8Array> {
        for (let index = 0; index < 40; index++) yield Buffer.alloc(50_000, index)
      }
      const sealed = crypto.encrypt('keys', data(), wrap)
      const opened = await gather(crypto.decrypt('keys', sealed))
      return [opened.length, opened[0], opened.at(-1)]
    },
    answers: [2_000_000, 0, 39],
  },
  {
    name: 'nothing can be encrypted as well',
    run: async ({ crypto }) =>
      (await gather(crypto.decrypt('keys', crypto.encrypt('keys', Buffer.alloc(0), wrap)))).length,
    answers: 0,
  },
  {
    name: 'what is no ciphertext',
    run: ({ crypto }) => gather(crypto.decrypt('keys', Buffer.from('plain'))),
    fails: 'ERR_CRYPTO',
  },
  {
    name: 'a ciphertext that was changed',
    async run({ crypto }) {
      const sealed = await gather(crypto.encrypt('keys', Buffer.from('secret'), wrap))
      sealed[sealed.length - 1]! ^= 1
      return gather(crypto.decrypt('keys', sealed))
    },
    fails: 'ERR_CRYPTO',
  },
  {
    name: 'a key that is not there',
    run: ({ crypto }) => gather(crypto.encrypt('keys', Buffer.from('a'), { ...wrap, keyName: 'nosuch' })),
    fails: 'ERR_CRYPTO',
  },
  {
    name: 'crypto of nobody',
    run: ({ crypto }) => gather(crypto.encrypt('nosuch', Buffer.from('a'), wrap)),
    fails: 'ERR_CRYPTO_PROVIDER_NOT_FOUND',
  },
  {
    name: 'crypto of nobody, with much to say',
    run: ({ crypto }) => gather(crypto.encrypt('nosuch', much(600_000), wrap)),
    fails: 'ERR_CRYPTO_PROVIDER_NOT_FOUND',
  },
  {
    name: 'crypto without providers',
    run: ({ crypto }) => gather(crypto.decrypt('keys', Buffer.from('a'))),
    fails: 'ERR_CRYPTO_PROVIDERS_NOT_CONFIGURED',
    empty: true,
  },
  {
    name: 'an invocation with JSON',
    run: async ({ invoke }) =>
      whole(await invoke('shop', 'echo', { json: { a: 1 }, query: { x: 'ä b', y: '&' } })),
    answers: {
      status: 200,
      type: 'application/json',
      verb: 'POST',
      query: 'x=%C3%A4+b&y=%26',
      body: '{"a":1}',
    },
  },
  {
    name: 'an invocation without a body',
    run: async ({ invoke }) => whole(await invoke('shop', '/echo?a=b')),
  },
  {
    name: 'an invocation that streams',
    async run({ invoke }) {
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('one ')
        yield Buffer.from('two')
      }
      return whole(await invoke('shop', 'echo', { body: body(), headers: { 'content-type': 'text/plain' } }))
    },
    answers: { status: 200, type: 'text/plain', verb: 'POST', query: '', body: 'one two' },
  },
  {
    name: 'an invocation that is answered with an error',
    run: async ({ invoke }) => whole(await invoke('shop', 'teapot')),
  },
  { name: 'an invocation that fails', run: async ({ invoke }) => whole(await invoke('shop', 'boom')) },
  {
    name: 'an invocation of nothing',
    run: async ({ invoke }) => (await invoke('shop', 'nosuch')).status,
    answers: 404,
  },
  {
    name: 'an invocation without an answer',
    run: async ({ invoke }) => (await invoke('shop', 'nothing')).status,
    answers: 204,
  },
  {
    name: 'a large answer',
    run: async ({ invoke }) => (await (await invoke('shop', 'large')).arrayBuffer()).byteLength,
    answers: 300_000,
  },
  {
    name: 'an answer that is too large',
    run: async ({ invoke }) => (await invoke('shop', 'large', { maxBodyBytes: 1000 })).text(),
    fails: 'ERR_CLIENT_TOO_LARGE',
  },
  {
    name: 'a path that leads elsewhere',
    run: ({ invoke }) => invoke('shop', 'a/../../../../secrets/vault/password'),
    fails: 'ERR_CLIENT_ARGUMENT',
  },
  {
    name: 'metadata',
    async run({ metadata }) {
      await metadata.set('colour', 'grün')
      const { runtimeVersion, components, ...found } = await metadata.get()
      // They are loaded at the same time.
      const sorted = components.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return [found, sorted, runtimeVersion !== '']
    },
  },
  {
    name: 'health',
    run: async (client) => [await client.health(), await client.health({ outbound: true })],
    answers: [true, true],
  },
]

export const rows: readonly Row[] = [...state, ...rest]
