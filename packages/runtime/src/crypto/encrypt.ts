import { randomBytes } from 'node:crypto'
import { FileKey } from './file-key.ts'
import {
  EncryptionProblem,
  fileKeyBytes,
  maxHeaderBytes,
  maxSegments,
  noncePrefixBytes,
  schemeName,
  segmentBytes,
  type StreamCipher,
  type WrapAlgorithm,
  writeManifest,
} from './scheme.ts'
import { segments } from './segments.ts'

export interface EncryptStreamOptions {
  readonly wrapAlgorithm: WrapAlgorithm
  readonly cipher: StreamCipher
  /** What the manifest names as the key to decrypt with; nothing where it is left out. */
  readonly keyName: string | undefined
  /** Wraps the file key. */
  readonly wrap: (fileKey: Uint8Array) => Promise<Uint8Array>
}

/**
 * Encrypts a stream. Resolves when the file key is wrapped; `source` is read as the result is.
 * @throws EncryptionProblem, and what `wrap` throws
 */
export async function encryptStream(
  source: AsyncIterable<Uint8Array>,
  options: EncryptStreamOptions,
): Promise<AsyncGenerator<Uint8Array, void>> {
  const { wrapAlgorithm, cipher, keyName } = options
  const fileKey = randomBytes(fileKeyBytes)
  const noncePrefix = randomBytes(noncePrefixBytes)
  const wrappedFileKey = await options.wrap(fileKey)
  const manifest = writeManifest({ keyName, wrapAlgorithm, wrappedFileKey, cipher, noncePrefix })
  const key = new FileKey(fileKey, noncePrefix, cipher)
  const lines = Buffer.from(`${schemeName}\n${manifest}\n`)
  const header = Buffer.concat([lines, Buffer.from(`${key.mac(lines)}\n`)])
  if (header.length > maxHeaderBytes)
    throw new EncryptionProblem(
      `the header is longer than ${maxHeaderBytes} bytes: the name of the key is too long`,
    )
  return encrypted(source, header, key)
}

async function* encrypted(
  source: AsyncIterable<Uint8Array>,
  header: Uint8Array,
  key: FileKey,
): AsyncGenerator<Uint8Array, void> {
  yield header
  let index = 0
  for await (const { data, last } of segments(source, segmentBytes)) {
    if (index === maxSegments) throw new EncryptionProblem('the stream is too long')
    yield key.seal(data, index++, last)
  }
}
