import { expect, test } from 'vitest'
import {
  checkHealth,
  Health,
  HealthCheckResponse_ServingStatus as Status,
  listHealth,
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
