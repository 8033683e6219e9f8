import { EncryptionProblem, type Manifest, maxHeaderBytes, readManifest, schemeName } from './scheme.ts'

/** What is before the segments. */
export interface Header {
  readonly manifest: Manifest
  /** The first two lines as they came: what the MAC is of. */
  readonly lines: Uint8Array
  /** In base64, as it came. */
  readonly mac: Uint8Array
  /** What was read beyond the header. */
  readonly rest: Uint8Array
}

const lineBreak = 0x0a
const invalid = (problem: string): EncryptionProblem => new EncryptionProblem(`invalid header: ${problem}`)

/** Reads the three lines at the beginning of a stream. @throws EncryptionProblem */
export async function readHeader(source: AsyncIterator<Uint8Array>): Promise<Header> {
  let buffer = new Uint8Array(1024)
  let read = buffer.subarray(0, 0)
  /** Where each line ends. */
  const ends: number[] = []
  let at = 0
  for (;;) {
    for (; ends.length < 3 && at < Math.min(read.length, maxHeaderBytes); at++) {
      if (read[at] === lineBreak) ends.push(at)
    }
    // Whatever does not begin right is refused before more of it is held.
    const first = Buffer.from(read.subarray(0, ends[0] ?? read.length)).toString('latin1')
    if (ends.length === 0 ? !schemeName.startsWith(first) : first !== schemeName)
      throw invalid(`the stream does not begin with ${schemeName}`)
    if (ends.length === 3) break
    if (at >= maxHeaderBytes) throw invalid(`it is longer than ${maxHeaderBytes} bytes`)
    const next = await source.next()
    if (next.done === true) throw invalid('the stream ends within it')
    const length = read.length + next.value.length
    if (length > buffer.length) {
      buffer = new Uint8Array(Math.max(length, 2 * buffer.length))
      buffer.set(read)
    }
    buffer.set(next.value, read.length)
    read = buffer.subarray(0, length)
  }
  const [scheme, manifest, mac] = ends as [number, number, number]
  const parsed = readManifest(read.subarray(scheme + 1, manifest))
  if (parsed === undefined) throw invalid('invalid manifest')
  return {
    manifest: parsed,
    lines: read.subarray(0, manifest + 1),
    mac: read.subarray(manifest + 1, mac),
    rest: read.subarray(mac + 1),
  }
}
