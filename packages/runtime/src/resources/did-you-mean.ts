import { nearest } from '@outrigger/host'

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const best = nearest(name, candidates)
  return best === undefined ? '' : ` (did you mean ${best}?)`
}
