import { expect, test } from 'vitest'
import { withWanted } from './listener.ts'

test.each([
  ['', 'Kg$xe'],
  ['KA', undefined],
  ['AK', undefined],
  ['Kg$xe', undefined],
  ['AKE', undefined],
  ['A', 'AK'],
  ['Ex', 'ExKg$e'],
  ['Khl', 'Khlg$xe'],
])('%j becomes %j', (flags, better) => expect(withWanted(flags)).toBe(better))
