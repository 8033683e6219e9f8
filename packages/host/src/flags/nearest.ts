/** The candidate that was probably meant, if one is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.floor(word.length / 3) + 1
  for (const candidate of candidates) {
    const far = distance(word.toLowerCase(), candidate, least)
    if (far < least) {
      best = candidate
      least = far
    }
  }
  if (best !== undefined) return best
  const begun = candidates.filter((candidate) => word.length > 2 && candidate.startsWith(word.toLowerCase()))
  return begun.length === 1 ? begun[0] : undefined
}

/** Edits (insert, delete, replace) from one word to the other; at least `limit` when there are so many. */
function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const replace = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[right.length]!
}
