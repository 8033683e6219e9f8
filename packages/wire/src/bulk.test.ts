import { afterEach, expect, it } from 'vitest'
import { onBulk, received } from './bulk.ts'

afterEach(() => onBulk(Infinity, () => {}))

it('tells each time that so much has come, whatever the pieces', () => {
  let told = 0
  onBulk(100, () => told++)
  for (let index = 0; index < 25; index++) received(10)
  expect(told).toBe(2)
  received(1000)
  expect(told).toBe(3)
  received(99)
  expect(told).toBe(3)
})

it('tells nobody unless somebody asked', () => {
  let told = 0
  onBulk(10, () => told++)
  onBulk(Infinity, () => told++)
  received(1e12)
  expect(told).toBe(0)
})
