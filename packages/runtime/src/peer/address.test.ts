import { expect, test } from 'vitest'
import { stablePort } from './address.ts'

test('an application has the same port each time, of its own and where nobody else listens', () => {
  const ports = new Set<number>()
  for (let index = 0; index < 200; index++) {
    const port = stablePort(`app-${index}`, '/home/me/project')
    expect(stablePort(`app-${index}`, '/home/me/project')).toBe(port)
    expect(port).toBeGreaterThanOrEqual(47_300)
    expect(port).toBeLessThan(65_535)
    ports.add(port)
  }
  // Two of 18,000 may be the same.
  expect(ports.size).toBeGreaterThan(190)
  expect(stablePort('app-1', '/home/me/other')).not.toBe(stablePort('app-1', '/home/me/project'))
})
