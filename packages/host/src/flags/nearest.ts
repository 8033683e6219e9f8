/**
 * The candidate that was probably meant: equal but for case, at most a third of its letters away, or the only one
 * that begins like this.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  // Nobody misspells a name of this length, and the comparison is quadratic.
  if (wanted.length > 100) return undefined
  const all = [...candidates]
  let best: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of all) {
    const far = distance(wanted, candidate.toLowerCase(), least)
    if (far < least) {
      best = candidate
      least = far
    }
  }
  if (best !== undefined) return best
  const begun = all.filter((candidate) => wanted.length > 2 && candidate.toLowerCase().startsWith(wanted))
  return begun.length === 1 ? begun[0] : undefined
}

/** Letters to insert, delete, replace, or to swap with a neighbour; `limit` when there are at least so many. */
function distance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const replace = last[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      let least = Math.min(replace, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1)
      }
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[right.length]!
}
