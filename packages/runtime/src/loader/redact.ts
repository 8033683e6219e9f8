/**
 * Makes a function that takes secrets out of a text, also where they are escaped. Components must not quote secrets;
 * this is for those that do, and for drivers below them.
 */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>()
  for (const secret of secrets) {
    // What is this short is in every text by chance, and guessed at once anyway.
    if (secret.length < 3) continue
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encode(secret)]) forms.add(form)
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((result, form) => result.replaceAll(form, '***'), text)
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return text
  }
}
