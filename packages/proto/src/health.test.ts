import { expect, test } from 'vitest'
import {
  checkHealth,
  Health,
  HealthCheckResponse_ServingStatus as Status,
  listHealth,
  ServingState,
  watchHealth,
} from './health.ts'
import { methodsOf } from './methods.ts'

const serving = new Map([
  ['', true],
  ['a.Service', false],
])

test('a check tells whether a service serves', () => {
  expect(checkHealth({ service: '' }, serving)).toEqual({ status: Status.SERVING })
  expect(checkHealth({ service: 'a.Service' }, serving)).toEqual({ status: Status.NOT_SERVING })
  expect(checkHealth({ service: 'b.Service' }, serving)).toBeUndefined()
})

test('a watch tells that a service is not known', () => {
  expect(watchHealth({ service: '' }, serving)).toEqual({ status: Status.SERVING })
  expect(watchHealth({ service: 'b.Service' }, serving)).toEqual({ status: Status.SERVICE_UNKNOWN })
})

test('a list has every service, and can be encoded', () => {
  const { output } = methodsOf(Health).list
  expect(output.decode(output.encode(listHealth(serving))).statuses).toMatchObject({
    '': { status: Status.SERVING },
    'a.Service': { status: Status.NOT_SERVING },
  })
})

test('a state tells of changes, and of nothing else; when it is stopped nothing serves again', async () => {
  const state = new ServingState(['a.Service'])
  expect([...state.serving]).toEqual([
    ['', true],
    ['a.Service', true],
  ])
  let changes = 0
  const follow = (): unknown => state.changed().then(() => changes++)
  follow()
  state.set('a.Service', true)
  await Promise.resolve()
  expect(changes).toBe(0)
  state.set('a.Service', false)
  await Promise.resolve()
  expect(changes).toBe(1)
  follow()
  state.stop()
  await Promise.resolve()
  expect(changes).toBe(2)
  state.set('', true)
  expect([...state.serving.values()]).toEqual([false, false])
})
