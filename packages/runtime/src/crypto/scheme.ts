/** The stream format `dapr.io/enc/v1`: names, numbers and sizes. */

export const schemeName = 'dapr.io/enc/v1'
/** Plaintext of each segment; the last one may be shorter. */
export const segmentBytes = 64 * 1024
export const tagBytes = 16
export const noncePrefixBytes = 7
export const fileKeyBytes = 32
export const maxHeaderBytes = 64 * 1024
/** The counter in the nonce has 32 bits. */
export const maxSegments = 2 ** 32

const wrapIds = {
  A256KW: 1,
  'A128CBC-NOPAD': 2,
  'A192CBC-NOPAD': 3,
  'A256CBC-NOPAD': 4,
  'RSA-OAEP-256': 5,
} as const
const cipherIds = { 'AES-GCM': 1, 'CHACHA20-POLY1305': 2 } as const
const aliases: Readonly<Record<string, WrapAlgorithm>> = { AES: 'A256KW', RSA: 'RSA-OAEP-256' }

/** How the file key is wrapped. */
export type WrapAlgorithm = keyof typeof wrapIds
/** How the segments are encrypted. */
export type StreamCipher = keyof typeof cipherIds

const wrapAlgorithms = Object.keys(wrapIds) as WrapAlgorithm[]
const streamCiphers = Object.keys(cipherIds) as StreamCipher[]

/** A stream that cannot be encrypted or decrypted. The message is for the caller and holds no secret. */
export class EncryptionProblem extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EncryptionProblem'
  }
}

/** The algorithm of a name or alias, upper and lower case alike. @throws EncryptionProblem */
export function wrapAlgorithmNamed(name: string): WrapAlgorithm {
  const upper = name.toUpperCase()
  const found = wrapAlgorithms.find((each) => each === upper)
  if (found !== undefined) return found
  if (Object.hasOwn(aliases, upper)) return aliases[upper]!
  const known = [...wrapAlgorithms, ...Object.keys(aliases)].join(', ')
  throw new EncryptionProblem(
    `the key wrap algorithm ${JSON.stringify(name.slice(0, 40))} is not supported: it is one of ${known}`,
  )
}

/** The cipher of a name, upper and lower case alike; AES-GCM for none. @throws EncryptionProblem */
export function streamCipherNamed(name: string | undefined): StreamCipher {
  if (name === undefined || name === '') return 'AES-GCM'
  const found = streamCiphers.find((each) => each === name.toUpperCase())
  if (found !== undefined) return found
  throw new EncryptionProblem(
    `the cipher ${JSON.stringify(name.slice(0, 40))} is not supported: it is one of ${streamCiphers.join(', ')}`,
  )
}

/** The first lines of every encrypted stream. */
export interface Manifest {
  /** Name of the key that decrypts the stream, unless it was left out. */
  readonly keyName: string | undefined
  readonly wrapAlgorithm: WrapAlgorithm
  readonly wrappedFileKey: Uint8Array
  readonly cipher: StreamCipher
  readonly noncePrefix: Uint8Array
}

/** The manifest as a line of JSON, without the line break. */
export function writeManifest(manifest: Manifest): string {
  return JSON.stringify({
    k: manifest.keyName,
    kw: wrapIds[manifest.wrapAlgorithm],
    wfk: Buffer.from(manifest.wrappedFileKey).toString('base64'),
    cph: cipherIds[manifest.cipher],
    np: Buffer.from(manifest.noncePrefix).toString('base64'),
  })
}

/** Reads the line; `undefined` where it is no manifest. What exactly is wrong with it is nobody's business. */
export function readManifest(line: Uint8Array): Manifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { k, kw, wfk, cph, np } = value as Readonly<Record<string, unknown>>
  const wrapAlgorithm = wrapAlgorithms.find((each) => wrapIds[each] === kw)
  const cipher = streamCiphers.find((each) => cipherIds[each] === cph)
  const wrappedFileKey = readBase64(wfk)
  const noncePrefix = readBase64(np)
  if (wrapAlgorithm === undefined || cipher === undefined) return undefined
  if (wrappedFileKey === undefined || wrappedFileKey.length === 0) return undefined
  if (noncePrefix?.length !== noncePrefixBytes) return undefined
  if (k !== undefined && k !== null && typeof k !== 'string') return undefined
  return { keyName: k || undefined, wrapAlgorithm, wrappedFileKey, cipher, noncePrefix }
}

function readBase64(value: unknown): Uint8Array | undefined {
  const right = typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
  return right ? Buffer.from(value, 'base64') : undefined
}
