import { FileKey } from './file-key.ts'
import { type Header, readHeader } from './header.ts'
import {
  EncryptionProblem,
  fileKeyBytes,
  maxSegments,
  segmentBytes,
  tagBytes,
  type WrapAlgorithm,
} from './scheme.ts'
import { segments } from './segments.ts'

export interface DecryptStreamOptions {
  /** Takes the place of the name in the manifest. */
  readonly keyName: string | undefined
  /** Unwraps the file key; `undefined` where it cannot be, whatever the reason. */
  readonly unwrap: (
    wrappedFileKey: Uint8Array,
    algorithm: WrapAlgorithm,
    keyName: string,
  ) => Promise<Uint8Array | undefined>
}

/**
 * Decrypts a stream. Resolves when its header is verified; the rest of `source` is read as the result is. No byte is passed on
 * that was not authenticated together with its place. The stream's end is known by its last segment: one that was cut off
 * fails there. Only what was cut right behind the header cannot be told from a stream of no bytes.
 * @throws EncryptionProblem, and what `unwrap` throws
 */
export async function decryptStream(
  source: AsyncIterable<Uint8Array>,
  options: DecryptStreamOptions,
): Promise<AsyncGenerator<Uint8Array, void>> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    const header = await readHeader(iterator)
    const { manifest } = header
    const keyName = options.keyName || manifest.keyName
    if (keyName === undefined)
      throw new EncryptionProblem(
        'the stream does not name the key that it was encrypted for, and none was given',
      )
    const fileKey = await options.unwrap(manifest.wrappedFileKey, manifest.wrapAlgorithm, keyName)
    // A key that is not there, or not the right one, looks like a header that was changed: nobody learns which keys exist.
    const usable = fileKey?.length === fileKeyBytes ? fileKey : new Uint8Array(fileKeyBytes)
    const key = new FileKey(usable, manifest.noncePrefix, manifest.cipher)
    if (!key.isMac(header.lines, header.mac) || usable !== fileKey)
      throw new EncryptionProblem(
        'the signature of the header is not right: it was changed, or the key is not the right one',
      )
    return decrypted(remaining(iterator, header), key)
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}

async function* remaining(
  iterator: AsyncIterator<Uint8Array>,
  { rest }: Header,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (rest.length > 0) yield rest
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  } finally {
    await iterator.return?.()
  }
}

async function* decrypted(source: AsyncIterable<Uint8Array>, key: FileKey): AsyncGenerator<Uint8Array, void> {
  let index = 0
  for await (const { data, last } of segments(source, segmentBytes + tagBytes)) {
    const plaintext = index < maxSegments ? key.open(data, index, last) : undefined
    if (plaintext === undefined)
      throw new EncryptionProblem(
        `segment ${index} cannot be decrypted: it was changed, or the stream was cut off`,
      )
    index++
    yield plaintext
  }
}
