import { expect, it } from 'vitest'
import { AppBusyError } from './channel.ts'
import { Gate } from './gate.ts'

it('lets so many in and the others in their order', async () => {
  const gate = new Gate(2, 10)
  const order: string[] = []
  await gate.enter()
  await gate.enter()
  const waiting = ['a', 'b', 'c'].map((name) => gate.enter().then(() => order.push(name)))
  await Promise.resolve()
  expect(order).toEqual([])
  gate.leave()
  await waiting[0]
  expect(order).toEqual(['a'])
  gate.leave()
  gate.leave()
  await Promise.all(waiting)
  expect(order).toEqual(['a', 'b', 'c'])
})

it('refuses when too many wait, and has room again when they left', async () => {
  const gate = new Gate(1, 1)
  await gate.enter()
  const waiting = gate.enter()
  await expect(gate.enter()).rejects.toBeInstanceOf(AppBusyError)
  gate.leave()
  await waiting
  gate.leave()
  await gate.enter()
})

it('forgets those that gave up', async () => {
  const gate = new Gate(1, 1)
  await gate.enter()
  const leaving = new AbortController()
  const gone = gate.enter(leaving.signal)
  leaving.abort()
  await expect(gone).rejects.toMatchObject({ code: 'ABORTED' })
  await expect(gate.enter(AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' })
  const next = gate.enter()
  gate.leave()
  await next
})
