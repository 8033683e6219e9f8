import { randomBytes } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeWithService, say } from '@outrigger/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { component } from '../../src/index.ts'
import { grpcDriver } from './grpc-driver.ts'
import { folderFor, launch, type Launched } from './sidecars.ts'

interface Saved {
  readonly key: string
  readonly value: unknown
  readonly etag?: string | null
  readonly options?: { readonly concurrency: string }
  readonly metadata?: Readonly<Record<string, string>>
}

async function saveOverGrpc(sidecar: Launched, store: string, items: readonly Saved[]): Promise<number> {
  const driver = grpcDriver(sidecar.grpcPort)
  try {
    const answer = await driver.run({
      op: 'saveState',
      store,
      items: items.map(({ key, value, etag, options, metadata }) => ({
        key,
        value: JSON.stringify(value),
        ...(typeof etag === 'string' ? { etag } : {}),
        ...(options === undefined ? {} : { concurrency: options.concurrency as 'first-write' }),
        ...(metadata === undefined ? {} : { metadata }),
      })),
    })
    if (answer === undefined || 'value' in answer) return 204
    if (answer.failure.grpc === 'ABORTED') return 409
    throw new Error(answer.failure.message)
  } finally {
    driver.close()
  }
}

const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']
const json = { 'content-type': 'application/json' }

/** Both sidecars are one application, with the same stores and keys. */
describeWithService('redis', 'what two sidecars exchange', (get) => {
  describe.skipIf(genuine === undefined)('with a genuine daprd (OUTRIGGER_GENUINE_DAPRD)', () => {
    const sidecars: Record<string, Launched> = {}

    beforeAll(async () => {
      const folder = await folderFor(get())
      const primaryEncryptionKey = randomBytes(32).toString('hex')
      const encrypted = [
        component('sealed-sqlite', 'state.sqlite', {
          metadata: { connectionString: join(folder, 'sealed.db'), primaryEncryptionKey },
        }),
        component('sealed-redis', 'state.redis', {
          metadata: { redisHost: `127.0.0.1:${get().port}`, redisPassword: '', primaryEncryptionKey },
        }),
      ]
      // Where a literal may stand depends on the version: a secret may in all.
      const text = encrypted
        .join('\n---\n')
        .replaceAll(
          `value: ${JSON.stringify(primaryEncryptionKey)}`,
          'secretKeyRef:\n        name: sealing\n        key: sealing',
        )
        .replaceAll(/\nspec:/g, '\nauth:\n  secretStore: vault\nspec:')
      await appendFile(join(folder, 'resources/components.yaml'), `\n---\n${text}`)
      await writeFile(
        join(folder, 'secrets.json'),
        JSON.stringify({ password: 'swordfish', sealing: primaryEncryptionKey }),
      )
      sidecars['ours'] = await launch(folder, { appId: 'same' })
      sidecars['theirs'] = await launch(folder, { appId: 'same', program: genuine })
    })
    afterAll(async () => {
      for (const sidecar of Object.values(sidecars)) await sidecar.stop()
    })

    const at = (side: string, path: string): string => `${sidecars[side]!.url}${path}`

    describe.each([
      ['ours', 'theirs'],
      ['theirs', 'ours'],
    ])('written by %s, read by %s', (writer, reader) => {
      describe.each(['sqlite', 'redis', 'sealed-sqlite', 'sealed-redis'])('%s', (store) => {
        /** Over HTTP the genuine one encrypts how Go prints a value; over gRPC, its bytes. */
        const overGrpc = (side: string): boolean => side === 'theirs' && store.startsWith('sealed')
        const save = async (side: string, items: Saved[]): Promise<number> => {
          if (overGrpc(side)) return saveOverGrpc(sidecars[side]!, store, items)
          const answer = await fetch(at(side, `/v1.0/state/${store}`), {
            method: 'POST',
            headers: json,
            body: JSON.stringify(items),
          })
          return answer.status
        }
        const read = async (
          key: string,
        ): Promise<{ text: string; etag: string | null; ttl: string | null }> => {
          const response = await fetch(at(reader, `/v1.0/state/${store}/${key}`))
          const ttl = response.headers.get('metadata.ttlexpiretime')
          return { text: await response.text(), etag: response.headers.get('etag'), ttl }
        }
        const key = (name: string): string => `${name}-${store}-${writer}`

        test.each([
          ['an object', { n: 1, deep: { list: [1, 'two', null, true] } }],
          ['a text', 'grüße 🚀 "quoted" \\ \n'],
          ['a number', 42.5],
          ['null', null],
          ['an empty list', []],
        ])('%s', async (name, value) => {
          expect(await save(writer, [{ key: key(name.replaceAll(' ', '-')), value }])).toBe(204)
          const { text, etag } = await read(key(name.replaceAll(' ', '-')))
          if (value !== null || text !== '') expect(JSON.parse(text)).toEqual(value)
          expect(etag).not.toBeNull()
        })

        test('an ETag of the reader counts for the writer', async () => {
          await save(writer, [{ key: key('tagged'), value: 1 }])
          const { etag } = await read(key('tagged'))
          const options = { concurrency: 'first-write' }
          expect(await save(writer, [{ key: key('tagged'), value: 2, etag, options }])).toBe(204)
          expect(await save(reader, [{ key: key('tagged'), value: 3, etag, options }])).toBe(409)
          const fresh = (await read(key('tagged'))).etag
          expect(await save(reader, [{ key: key('tagged'), value: 3, etag: fresh, options }])).toBe(204)
        })

        test('a time to live', async () => {
          await save(writer, [{ key: key('mortal'), value: 1, metadata: { ttlInSeconds: '500' } }])
          const { ttl } = await read(key('mortal'))
          // The genuine one does not tell of it with Redis; the server does.
          const silent = reader === 'theirs' && store.endsWith('redis')
          const left = silent
            ? Number(/\d+/.exec(await say(get(), `PTTL same||${key('mortal')}`)))
            : Date.parse(ttl!) - Date.now()
          expect(left).toBeGreaterThan(400_000)
          expect(left).toBeLessThan(501_000)
        })

        test.skipIf(overGrpc(writer))('a transaction, and several values at once', async () => {
          const operations = ['a', 'b'].map((name) => ({
            operation: 'upsert',
            request: { key: key(`t-${name}`), value: { name } },
          }))
          const answer = await fetch(at(writer, `/v1.0/state/${store}/transaction`), {
            method: 'POST',
            headers: json,
            body: JSON.stringify({ operations }),
          })
          expect(answer.status).toBe(204)
          const bulk = await fetch(at(reader, `/v1.0/state/${store}/bulk`), {
            method: 'POST',
            headers: json,
            body: JSON.stringify({ keys: [key('t-a'), key('t-b')] }),
          })
          const found = (await bulk.json()) as { key: string; data: unknown }[]
          expect(Object.fromEntries(found.map(({ key: name, data }) => [name, data]))).toEqual({
            [key('t-a')]: { name: 'a' },
            [key('t-b')]: { name: 'b' },
          })
        })

        test('a deletion', async () => {
          await save(reader, [{ key: key('gone'), value: 1 }])
          const answer = await fetch(at(writer, `/v1.0/state/${store}/${key('gone')}`), { method: 'DELETE' })
          expect(answer.status).toBe(204)
          expect((await read(key('gone'))).text).toBe('')
        })
      })
    })

    describe.each([
      ['ours', 'theirs'],
      ['theirs', 'ours'],
    ])('encrypted by %s, decrypted by %s', (writer, reader) => {
      test.each(
        [0, 1, 65_535, 65_536, 65_537, 300_000].flatMap((size) =>
          ['aes-gcm', 'chacha20-poly1305'].map((cipher) => [size, cipher] as const),
        ),
      )('%i bytes, %s', async (size, cipher) => {
        const data = randomBytes(size)
        const sealed = await fetch(at(writer, '/v1.0-alpha1/crypto/keys/encrypt'), {
          method: 'PUT',
          headers: {
            'content-type': 'application/octet-stream',
            'dapr-key-name': 'aes.key',
            'dapr-key-wrap-algorithm': 'A256KW',
            'dapr-data-encryption-cipher': cipher,
          },
          body: data,
        })
        expect(sealed.status).toBe(200)
        const opened = await fetch(at(reader, '/v1.0-alpha1/crypto/keys/decrypt'), {
          method: 'PUT',
          headers: { 'content-type': 'application/octet-stream' },
          body: Buffer.from(await sealed.arrayBuffer()),
        })
        expect(opened.status === 204 || opened.status === 200).toBe(true)
        expect(Buffer.compare(Buffer.from(await opened.arrayBuffer()), data)).toBe(0)
      })
    })
  })
})
