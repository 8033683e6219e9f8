import { utf8 } from '@outrigger/kit'

const quote = 0x22
const padding = 0x3d
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const digits = new Uint8Array(256)
for (const byte of utf8('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')) digits[byte] = 1

/**
 * The bytes to store, from the data of a request: a JSON string is stored as its text, and what is wholly Base64 (RFC 4648,
 * padded, line ends allowed) is stored decoded. Anything else is stored as it is. Dapr does the same.
 */
export function contentOf(data: Uint8Array): Uint8Array {
  const text = unquoted(data)
  return isBase64(text) ? Buffer.from(strict.decode(text), 'base64') : text
}

function unquoted(data: Uint8Array): Uint8Array {
  if (data.length < 2 || data[0] !== quote || data.at(-1) !== quote) return data
  try {
    return utf8(JSON.parse(strict.decode(data)) as string)
  } catch {
    return data
  }
}

function isBase64(data: Uint8Array): boolean {
  let count = 0
  let padded = 0
  for (const byte of data) {
    if (byte === 0x0a || byte === 0x0d) continue
    count++
    if (byte === padding) padded++
    else if (padded > 0 || digits[byte] === 0) return false
  }
  return count % 4 === 0 && padded <= 2
}
