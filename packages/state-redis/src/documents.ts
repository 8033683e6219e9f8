import { ComponentError, type Metadata, type StateSetRequest } from '@outrigger/spec'

/** RedisJSON reads no deeper; found out before anything is written, so that a transaction stays whole. */
const deepest = 120

/** Whether a row is to be a JSON document: as in Dapr, the metadata of the request decides. */
export function isDocument(metadata: Metadata, ofTransaction?: Metadata): boolean {
  return (metadata['contentType'] ?? ofTransaction?.['contentType']) === 'application/json'
}

/** The text of a value that becomes part of a JSON document. @throws ComponentError INVALID_ARGUMENT when it is none */
export function documentValue({ key, value }: StateSetRequest): Buffer {
  const { buffer, byteOffset, byteLength } = value.bytes
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  const text = bytes.toString()
  try {
    JSON.parse(text)
  } catch {
    throw new ComponentError(
      'INVALID_ARGUMENT',
      `the value of key ${key} is announced as application/json and is no JSON`,
    )
  }
  if (depthOf(text) > deepest) {
    throw new ComponentError(
      'INVALID_ARGUMENT',
      `the value of key ${key} is nested more than ${deepest} deep`,
    )
  }
  return bytes
}

function depthOf(json: string): number {
  let depth = 0
  let most = 0
  for (const [part] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (part === '[' || part === '{') most = Math.max(most, ++depth)
    else if (part === ']' || part === '}') depth--
  }
  return most
}
