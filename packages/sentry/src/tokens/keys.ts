import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, SignJWT, type JSONWebKeySet, type JWK } from 'jose'
import { readPrivateKey } from '@outrigger/security'
import { readIfThere, writePrivate } from '../authority/files.ts'
import type { TokenOptions } from '../config/options.ts'

/** What tokens are signed with, and what they are checked with. */
export interface TokenKeys {
  readonly key: KeyObject
  readonly keyId: string
  readonly algorithm: string
  readonly keySet: JSONWebKeySet
}

const rsaBits = 2048

/**
 * The keys in the files.
 * @param make whether to make new ones (RSA), and write them, when there are none
 * @throws Error that names the file and what is wrong with it, never the key
 */
export async function loadTokenKeys(options: TokenOptions, make: boolean): Promise<TokenKeys> {
  const { keyFile, keySetFile } = options
  const [pem, text] = await Promise.all([readIfThere(keyFile), readIfThere(keySetFile)])
  if (make && pem === undefined && text === undefined) return makeKeys(options)
  if (pem === undefined || text === undefined) {
    throw new Error(
      `tokens need both ${keyFile} and ${keySetFile}, and there is no ${pem === undefined ? keyFile : keySetFile}: put it there, or remove both and start anew to have new ones made`,
    )
  }
  const key = readPrivateKey(pem, keyFile)
  const keySet = parseKeySet(text, keySetFile)
  const keyId = options.keyId ?? (await thumbprint(key))
  const { algorithm } = options
  await mustFit(key, algorithm, keyFile)
  const own = await exportJWK(createPublicKey(key))
  if (!keySet.keys.some((jwk) => isSame(jwk, own, options.keyId))) {
    const named = options.keyId === undefined ? '' : ` under the id ${options.keyId}`
    throw new Error(`${keySetFile} lacks the public key of ${keyFile}${named}: nobody could check tokens`)
  }
  return { key, keyId, algorithm, keySet }
}

async function makeKeys({ keyFile, keySetFile, keyId: wanted, algorithm }: TokenOptions): Promise<TokenKeys> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: rsaBits })
  await mustFit(privateKey, algorithm, 'the key that is made when there is none (RSA)')
  const keyId = wanted ?? (await thumbprint(privateKey))
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' }
  const keySet = { keys: [jwk] }
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await writePrivate(
    new Map([
      [keyFile, pem],
      [keySetFile, JSON.stringify(keySet)],
    ]),
  )
  return { key: privateKey, keyId, algorithm, keySet }
}

/** RFC 7638, in plain base64 as Dapr writes it. */
async function thumbprint(key: KeyObject): Promise<string> {
  const url = await calculateJwkThumbprint(await exportJWK(createPublicKey(key)), 'sha256')
  return Buffer.from(url, 'base64url').toString('base64')
}

async function mustFit(key: KeyObject, algorithm: string, what: string): Promise<void> {
  try {
    await new SignJWT({}).setProtectedHeader({ alg: algorithm }).sign(key)
  } catch {
    throw new Error(`${what} cannot sign with ${algorithm}: correct --jwt-signing-algorithm`)
  }
}

function isSame(jwk: JWK, own: JWK, keyId: string | undefined): boolean {
  if (keyId !== undefined && jwk.kid !== keyId) return false
  if (jwk.use !== undefined && jwk.use !== 'sig') return false
  return (['kty', 'crv', 'x', 'y', 'n', 'e'] as const).every((field) => jwk[field] === own[field])
}

function parseKeySet(text: string, file: string): JSONWebKeySet {
  let set: unknown
  try {
    set = JSON.parse(text)
  } catch {
    throw new Error(`${file} is not JSON`)
  }
  const keys = (set as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) throw new Error(`${file} is no set of keys: it has no list "keys"`)
  const secret = keys.some((key: JWK) => key.d !== undefined || key.k !== undefined)
  if (secret) throw new Error(`${file} holds a private key: it is shown to everybody, take it out`)
  return { keys: keys as JWK[] }
}
