import type { CodeRange } from './model.ts'

/** The codes that there are. */
export const httpCodes: CodeRange = { first: 100, last: 599 }
export const grpcCodes: CodeRange = { first: 0, last: 16 }

/**
 * Reads a list of codes and ranges: `429,500-599`. Empty: `undefined`, which stands for all of them.
 * @throws Error that says what is wrong
 */
export function readCodes(text: string, valid: CodeRange): readonly CodeRange[] | undefined {
  if (text === '') return undefined
  return text.split(',').flatMap((item): CodeRange[] => {
    if (item.trim() === '') return []
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(item.trim())
    if (match === null) throw new Error(`"${item}" is neither a code nor a range such as 500-599`)
    const first = Number(match[1])
    const last = Number(match[2] ?? match[1])
    for (const code of [first, last]) {
      if (code < valid.first || code > valid.last)
        throw new Error(`${code} is not a code from ${valid.first} to ${valid.last}`)
    }
    if (last < first) throw new Error(`"${item}" ends before it begins`)
    return [{ first, last }]
  })
}
