import { afterEach, expect, it } from 'vitest'
import { isTooMuch, onBulk, received, shedBodies } from './bulk.ts'

afterEach(() => {
  onBulk(Infinity, () => {})
  shedBodies(false)
})

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

it('has large bodies given up while memory is short', () => {
  const sizes = [0, 65_536, 65_537, 1e9]
  expect(sizes.map(isTooMuch)).toEqual([false, false, false, false])
  shedBodies(true)
  expect(sizes.map(isTooMuch)).toEqual([false, false, true, true])
  shedBodies(false)
  expect(sizes.map(isTooMuch)).toEqual([false, false, false, false])
})
