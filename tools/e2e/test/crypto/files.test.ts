import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  verify,
} from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder, type TempFolder } from '@outrigger/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call, component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

const vectors = fileURLToPath(new URL('../../../../packages/runtime/test/vectors/enc-v1/', import.meta.url))
const rsaPem = readFileSync(join(vectors, 'rsa-key.pem'), 'utf8')
const kek = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index))
const ec = generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey
/** The same keys under the same names, in a folder and in a set. */
const secrets = { kek, k16: kek.subarray(0, 16), k24: kek.subarray(0, 24) }
const pairs = { rsa: rsaPem, ec: ec.export({ type: 'pkcs8', format: 'pem' }) as string }

let folder: TempFolder
let sidecar: Sidecar

beforeAll(async () => {
  folder = await tempFolder('outrigger-e2e-keys-')
  const keys = join(folder.path, 'keys')
  await mkdir(keys)
  for (const [name, content] of [...Object.entries(secrets), ...Object.entries(pairs)])
    await writeFile(join(keys, name), content)
  const set = [
    ...Object.entries(secrets).map(([kid, secret]) => ({ kty: 'oct', kid, k: secret.toString('base64url') })),
    { ...createPrivateKey(rsaPem).export({ format: 'jwk' }), kid: 'rsa' },
    { ...ec.export({ format: 'jwk' }), kid: 'ec' },
  ]
  await writeFile(join(folder.path, 'set.json'), JSON.stringify({ keys: set }))
  sidecar = await startSidecar({
    appId: 'archive',
    flags: ['--max-body-size=1Gi'],
    resources: [
      component('folder', 'crypto.dapr.localstorage', { metadata: { path: keys } }),
      component('set', 'crypto.dapr.jwks', { metadata: { jwks: join(folder.path, 'set.json') } }),
    ].join('---\n'),
  })
})
afterAll(async () => {
  await endSidecars()
  await folder.remove()
})

const at = (path: string): string => `${sidecar.url}/v1.0-alpha1/${path}`

async function put(path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Buffer> {
  const answer = await fetch(at(`crypto/${path}`), { method: 'PUT', body: Buffer.from(body), headers })
  const bytes = Buffer.from(await answer.arrayBuffer())
  expect(answer.status, bytes.toString('latin1', 0, 300)).toBe(200)
  return bytes
}

describe('files', () => {
  test.each([
    ['kek', 'A256KW'],
    ['k16', 'A128CBC-NOPAD'],
    ['k24', 'A192CBC-NOPAD'],
    ['kek', 'A256CBC-NOPAD'],
    ['rsa', 'RSA-OAEP-256'],
  ])('what one component encrypts with %s and %s, the other decrypts', async (keyName, algorithm) => {
    const plaintext = randomBytes(200_000)
    const headers = { 'dapr-key-name': keyName, 'dapr-key-wrap-algorithm': algorithm }
    for (const [from, to] of [
      ['folder', 'set'],
      ['set', 'folder'],
    ]) {
      const sealed = await put(`${from}/encrypt`, plaintext, headers)
      expect((await put(`${to}/decrypt`, sealed)).equals(plaintext)).toBe(true)
    }
  })

  test.each([
    ['aes-gcm.enc', 'kek'],
    ['chacha20-unnamed.enc', 'kek'],
    ['rsa-renamed.enc', 'rsa'],
  ])('what Dapr wrote is read: %s', async (name, keyName) => {
    for (const from of ['folder', 'set']) {
      const opened = await put(`${from}/decrypt`, await readFile(vectors + name), {
        'dapr-key-name': keyName,
      })
      expect(opened.toString()).toBe('Ahoy from Go')
    }
  })

  test('no name leads out of the folder', async () => {
    for (const keyName of ['../set.json', '/etc/passwd', 'absent']) {
      const headers = { 'dapr-key-name': keyName, 'dapr-key-wrap-algorithm': 'AES' }
      const answer = await call(sidecar.httpPort, 'PUT', '/v1.0-alpha1/crypto/folder/encrypt', 'x', headers)
      expect(answer.status).toBe(500)
      expect(answer.json).toMatchObject({ errorCode: 'ERR_CRYPTO' })
      expect(answer.text).not.toContain(folder.path)
    }
  })

  test('a new key counts without a restart', async () => {
    await writeFile(join(folder.path, 'keys', 'new'), randomBytes(32))
    const headers = { 'dapr-key-name': 'new', 'dapr-key-wrap-algorithm': 'AES' }
    const sealed = await put('folder/encrypt', Buffer.from('x'), headers)
    expect((await put('folder/decrypt', sealed)).toString()).toBe('x')
  })
})

/** Sends a stream and gives the answer as it comes. */
async function stream(
  path: string,
  body: AsyncIterable<Uint8Array>,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const outgoing = request({
    host: '127.0.0.1',
    port: sidecar.httpPort,
    method: 'PUT',
    path,
    headers,
    agent: false,
  })
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  const send = async (): Promise<void> => {
    for await (const chunk of body) if (!outgoing.write(chunk)) await once(outgoing, 'drain')
    outgoing.end()
  }
  const sending = send()
  const [answer] = await Promise.race([answered, sending.then(() => answered)])
  sending.catch((error: Error) => answer.destroy(error))
  return answer
}

/** The most memory that the sidecar ever had, in MiB; Linux tells. */
async function peakMiB(): Promise<number> {
  const status = await readFile(`/proc/${sidecar.child.pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

test.runIf(process.platform === 'linux')(
  '256 MiB go through both ways at once, and are never held',
  async () => {
    const block = randomBytes(1024 * 1024)
    const sent = createHash('sha256')
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 256; index++) {
        block.writeUInt32BE(index)
        const chunk = Buffer.from(block)
        sent.update(chunk)
        yield chunk
      }
    }
    const before = await peakMiB()
    const headers = { 'dapr-key-name': 'kek', 'dapr-key-wrap-algorithm': 'AES' }
    const sealed = await stream('/v1.0-alpha1/crypto/folder/encrypt', source(), headers)
    const opened = await stream('/v1.0-alpha1/crypto/set/decrypt', sealed as AsyncIterable<Uint8Array>, {})
    const received = createHash('sha256')
    for await (const chunk of opened) received.update(chunk as Buffer)
    expect(received.digest('hex')).toBe(sent.digest('hex'))
    // Two streams of this size held whole would take 512 MiB.
    expect((await peakMiB()) - before).toBeLessThan(200)
  },
)

describe('single operations', () => {
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const answer = await fetch(at(`subtlecrypto/${path}`), { method: 'POST', body: JSON.stringify(body) })
    const text = await answer.text()
    expect(answer.status, text).toBe(200)
    return JSON.parse(text) as Record<string, string>
  }
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

  test.each(['A256GCM', 'A256CBC', 'C20P', 'XC20P', 'A128CBC-HS256'])(
    '%s, from one component to the other',
    async (algorithm) => {
      const nonce = base64(randomBytes(algorithm.startsWith('X') ? 24 : algorithm.includes('CBC') ? 16 : 12))
      const common = { algorithm, keyName: 'kek', nonce }
      const plaintext = base64(Buffer.from('hello'))
      const sealed = await post('folder/encrypt', { ...common, plaintext })
      expect(await post('set/decrypt', { ...common, ...sealed })).toEqual({ plaintext })
    },
  )

  test.each([
    ['PS256', 'rsa', 'sha256'],
    ['RS512', 'rsa', 'sha512'],
    ['ES512', 'ec', 'sha512'],
  ])(
    '%s: a signature is right here, there and for who has the public key',
    async (algorithm, keyName, hash) => {
      const message = Buffer.from('message')
      const common = { algorithm, keyName, digest: base64(createHash(hash).update(message).digest()) }
      const { signature } = await post('folder/sign', common)
      expect(await post('set/verify', { ...common, signature })).toEqual({ valid: true })
      const { publicKey } = await post('set/getkey', { name: keyName })
      const padding = algorithm.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {}
      const key = { key: createPublicKey(publicKey!), ...padding }
      expect(verify(hash, message, key, Buffer.from(signature!, 'base64'))).toBe(true)
    },
  )

  test('a key is wrapped and unwrapped', async () => {
    const plaintextKey = base64(randomBytes(32))
    const common = { algorithm: 'RSA-OAEP', keyName: 'rsa' }
    const { wrappedKey } = await post('set/wrapkey', { ...common, plaintextKey })
    expect(await post('folder/unwrapkey', { ...common, wrappedKey })).toEqual({ plaintextKey })
  })
})
