import { expect, test } from 'vitest'
import { freePorts } from '../src/run/ports.ts'

test('free ports differ, are none of outgoing connections and none that somebody waits for', async () => {
  const reserved = Array.from({ length: 22_668 }, (_, index) => 10_000 + index)
  const ports = await freePorts(3, reserved)
  expect(new Set(ports).size).toBe(3)
  for (const port of ports) expect(port >= 32_668 && port < 32_768).toBe(true)
})
