import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { ComponentError } from '@outrigger/spec'

export type JsonObject = Readonly<Record<string, unknown>>

/** What a key may be used for, as its JSON Web Key says (RFC 7517, 4.2 to 4.4); nothing said allows everything. */
interface Restrictions {
  readonly use?: string | undefined
  readonly keyOps?: readonly string[] | undefined
  readonly alg?: string | undefined
}

/** A key in this process: symmetric, or the public or both halves of a pair. */
export type LocalKey = Restrictions &
  (
    | { readonly secret: Uint8Array; readonly publicKey?: undefined; readonly privateKey?: undefined }
    | {
        readonly secret?: undefined
        readonly publicKey: KeyObject
        readonly privateKey?: KeyObject | undefined
        /** The public half as a JSON Web Key, with what else was said of the key. */
        readonly publicJwk: JsonObject
      }
  )

/** Members of a JSON Web Key that are secret (RFC 7518, 6.2.2, 6.3.2, 6.4; RFC 8037, 2). */
const secretMembers: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
const base64Url = /^[A-Za-z0-9_-]*$/

/** The key's format is wrong; the text never shows any of it. */
export function badKey(problem: string, cause?: unknown): ComponentError {
  return new ComponentError('FAILED_PRECONDITION', `the key cannot be used: ${problem}`, { cause })
}

/**
 * A key from its JSON Web Key.
 * @throws ComponentError FAILED_PRECONDITION
 */
export function keyFromJwk(jwk: unknown): LocalKey {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) throw badKey('it is no JSON object')
  const members = jwk as JsonObject
  const restrictions: Restrictions = {
    use: text(members, 'use'),
    keyOps: operations(members['key_ops']),
    alg: text(members, 'alg'),
  }
  const kty = text(members, 'kty')
  if (kty === 'oct') return { ...restrictions, secret: secretOf(members) }
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP')
    throw badKey(`its "kty" is ${kty === undefined ? 'missing' : 'not known'}: it is oct, RSA, EC or OKP`)
  const publicJwk = Object.fromEntries(Object.entries(members).filter(([name]) => !secretMembers.has(name)))
  try {
    const publicKey = createPublicKey({ key: publicJwk, format: 'jwk' })
    const privateKey =
      members['d'] === undefined ? undefined : createPrivateKey({ key: { ...members }, format: 'jwk' })
    return { ...restrictions, publicKey, privateKey, publicJwk }
  } catch {
    // The cause may quote members.
    const prime = kty === 'RSA' && members['d'] !== undefined && members['p'] === undefined
    throw badKey(
      prime
        ? 'a private RSA key needs "p", "q", "dp", "dq" and "qi" besides "d"'
        : `its members do not make a key of kty ${kty}`,
    )
  }
}

/** A key pair, or the public half of one. */
export function keyFromObject(key: KeyObject): LocalKey {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  try {
    const publicJwk = publicKey.export({ format: 'jwk' }) as JsonObject
    return { publicKey, privateKey: key.type === 'private' ? key : undefined, publicJwk }
  } catch {
    throw badKey(`keys of type ${key.asymmetricKeyType} are not supported`)
  }
}

function secretOf(members: JsonObject): Uint8Array {
  const k = members['k']
  if (typeof k !== 'string' || k === '' || !base64Url.test(k))
    throw badKey('the "k" of a symmetric key must be text in base64url')
  return Buffer.from(k, 'base64url')
}

function text(members: JsonObject, name: string): string | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw badKey(`its "${name}" must be text`)
  return value === '' ? undefined : value
}

function operations(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
    throw badKey('its "key_ops" must be a list of texts')
  return value.length === 0 ? undefined : (value as string[])
}

export type KeyOperation = 'encrypt' | 'decrypt' | 'wrapKey' | 'unwrapKey' | 'sign' | 'verify'

/** @throws ComponentError PERMISSION_DENIED where the key says that it is for something else */
export function checkAllowed(key: LocalKey, operation: KeyOperation, algorithm: string): void {
  const { use, keyOps, alg } = key
  const wantedUse = operation === 'sign' || operation === 'verify' ? 'sig' : 'enc'
  const problem =
    keyOps !== undefined && !keyOps.includes(operation)
      ? `its key_ops do not have ${operation}`
      : use !== undefined && use !== wantedUse
        ? `its use is ${use}, and ${operation} needs ${wantedUse}`
        : alg !== undefined && alg !== algorithm
          ? `its alg is ${alg}, not ${algorithm}`
          : undefined
  if (problem !== undefined)
    throw new ComponentError('PERMISSION_DENIED', `the key is not meant for this: ${problem}`)
}
