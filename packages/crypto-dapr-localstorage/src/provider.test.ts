import { randomBytes } from 'node:crypto'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createForTest } from '@outrigger/conformance'
import type { CryptoProvider, KeyRequest } from '@outrigger/spec'
import { tempFolder, type TempFolder } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import definition from './index.ts'

let folder: TempFolder
let provider: CryptoProvider
const first = randomBytes(32)

beforeAll(async () => {
  folder = await tempFolder()
  const keys = join(folder.path, 'keys')
  await mkdir(join(keys, 'orders'), { recursive: true })
  await mkdir(join(folder.path, 'keys-beside'))
  await writeFile(join(keys, 'orders', 'v1'), first)
  await writeFile(join(folder.path, 'outside'), first)
  await writeFile(join(folder.path, 'keys-beside', 'key'), first)
  await symlink('../outside', join(keys, 'link-out'))
  await symlink('orders/v1', join(keys, 'link-in'))
  await writeFile(join(keys, 'broken.pem'), 'SECRET')
  await writeFile(join(keys, 'large'), randomBytes(70_000))
  provider = await createForTest(definition, { properties: { path: keys } })
})
afterAll(async () => {
  await provider.close()
  await folder.remove()
})

const wrap = (keyName: string) =>
  provider.wrapKey!({ keyName, algorithm: 'A256KW', plaintextKey: new Uint8Array(32) }, {})

test('the name is a path inside the folder, also by a link that stays inside', async () => {
  const { wrappedKey } = await wrap('orders/v1')
  expect((await wrap('link-in')).wrappedKey).toEqual(wrappedKey)
  expect((await wrap('/orders//./v1')).wrappedKey).toEqual(wrappedKey)
})

test.each([
  ['../outside', 'INVALID_ARGUMENT'],
  ['orders/../../outside', 'INVALID_ARGUMENT'],
  ['..\\outside', 'INVALID_ARGUMENT'],
  ['../keys-beside/key', 'INVALID_ARGUMENT'],
  ['orders/v1\0.pem', 'INVALID_ARGUMENT'],
  ['link-out', 'PERMISSION_DENIED'],
  ['absent', 'NOT_FOUND'],
  ['orders', 'NOT_FOUND'],
  ['orders/v1/deeper', 'NOT_FOUND'],
  ['.', 'PERMISSION_DENIED'],
  ['x'.repeat(5000), 'NOT_FOUND'],
  ['large', 'FAILED_PRECONDITION'],
  ['broken.pem', 'FAILED_PRECONDITION'],
])('%j is refused', async (name, code) => {
  const error = await wrap(name).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code })
  expect(String(error)).not.toContain('SECRET')
  expect(String(error)).not.toContain(folder.path)
  expect(String(error).length).toBeLessThan(500)
})

test('a key that was replaced or removed counts at once', async () => {
  const file = join(folder.path, 'keys', 'changing')
  await writeFile(file, first)
  const { wrappedKey } = await wrap('changing')
  await writeFile(file, randomBytes(32))
  expect((await wrap('changing')).wrappedKey).not.toEqual(wrappedKey)
  await rm(file)
  await expect(wrap('changing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test.each([
  ['absent', 'path "absent" does not exist'],
  ['outside', 'path "outside" is not a folder'],
])('a path that is no folder is an error: %s', async (path, message) => {
  const made = createForTest(definition, { properties: { path }, baseDirectory: folder.path })
  await expect(made).rejects.toMatchObject({ code: 'INVALID_METADATA', message })
})

test('getKey gives the public half and the name that was asked for', async () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
  await writeFile(join(folder.path, 'keys', 'sign.json'), JSON.stringify({ ...jwk, kid: 'k' }))
  const request: KeyRequest = { keyName: 'sign.json' }
  expect(await provider.getKey!(request, {})).toEqual({ name: 'sign.json', jwk: { ...jwk, kid: 'k' } })
})
