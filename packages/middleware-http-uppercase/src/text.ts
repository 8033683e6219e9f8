const encoder = new TextEncoder()

/** The text of a body in capital letters, while it comes. What is no UTF-8 becomes U+FFFD. */
export async function* upperCased(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true })
    // A chunk may hold no more than the beginning of a letter.
    if (text !== '') yield encoder.encode(upper(text))
  }
  const rest = decoder.decode()
  if (rest !== '') yield encoder.encode(upper(rest))
}

// oxlint-disable-next-line no-control-regex -- these are the letters that one byte holds
const ascii = /^[\u0000-\u007f]*$/

/** Letter by letter: one that has no capital of its own stays (ß), so that the number of letters does not change. */
export function upper(text: string): string {
  if (ascii.test(text)) return text.toUpperCase()
  let result = ''
  for (const letter of text) {
    const capital = letter.toUpperCase()
    result += Array.from(capital).length === 1 ? capital : letter
  }
  return result
}
