import { fromJsonString, toJsonString } from '@bufbuild/protobuf'
import type { DescMessage, MessageShape } from '@bufbuild/protobuf'

/**
 * Reads a message from protobuf's JSON: both spellings of a field's name, 64-bit numbers as text or number, bytes
 * in base64. Unknown fields and unknown names of enum values are ignored, as in bytes.
 * @throws Error that names the message or field that is wrong, never a value
 */
export function readJson<D extends DescMessage>(schema: D, text: string): MessageShape<D> {
  try {
    return fromJsonString(schema, text, { ignoreUnknownFields: true })
  } catch (error) {
    // What follows may repeat a piece of the text, which may be a secret.
    const [what] = (error instanceof Error ? error.message : '').split(' from JSON')
    throw new Error(`${what || `cannot decode ${schema}`} from JSON: it has the wrong type, range or form`)
  }
}

/** Writes a message as protobuf's JSON. Fields with their default value are left out. */
export function writeJson<D extends DescMessage>(schema: D, message: MessageShape<D>): string {
  return toJsonString(schema, message)
}
