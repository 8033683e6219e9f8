import { expect, test } from 'vitest'
import { readInstances, serviceBody } from './service.ts'

const registration = {
  appId: 'orders',
  namespace: 'shop',
  host: '2001:db8::1',
  port: 50_002,
  httpPort: 3500,
  appPort: 8080,
  metadata: {},
}
const none = { checks: [], tags: [], meta: {}, advanced: undefined }
const meta = { DAPR_PORT: '50002', DAPR_NAMESPACE: 'shop' }

test('a registration is what Dapr makes of it: id, port of the application, a check of the sidecar', () => {
  expect(serviceBody(registration, { ...none, tags: ['v1'], meta: { team: 'a' } }, 'DAPR_PORT')).toEqual({
    ID: 'orders-2001:db8::1-3500',
    Name: 'orders',
    Address: '2001:db8::1',
    Port: 8080,
    Checks: [
      {
        Name: 'Sidecar health',
        CheckID: 'daprHealth:orders-2001:db8::1-3500',
        Interval: '15s',
        HTTP: 'http://[2001:db8::1]:3500/v1.0/healthz?appid=orders',
        Status: 'passing',
      },
    ],
    Tags: ['v1'],
    Meta: { team: 'a', ...meta },
  })
})

test('checks of the configuration take the place of that one, and an application needs no port', () => {
  const { httpPort: _, appPort: __, ...bare } = registration
  const body = serviceBody(bare, { ...none, checks: [{ http: 'x' }] }, 'P')
  expect(body).toEqual({
    ID: 'orders-2001:db8::1-50002',
    Name: 'orders',
    Address: '2001:db8::1',
    Checks: [{ http: 'x' }],
    Tags: [],
    Meta: { P: '50002', DAPR_NAMESPACE: 'shop' },
  })
})

test('a whole registration stays as it is, but for the port and what it leaves out', () => {
  const advanced = { name: 'other', meta: { a: 'b', DAPR_PORT: '1' }, tags: ['x'], weights: { passing: 2 } }
  expect(serviceBody(registration, { ...none, tags: ['ignored'], advanced }, 'DAPR_PORT')).toEqual({
    ID: 'orders-2001:db8::1-3500',
    Name: 'other',
    Meta: { a: 'b', ...meta },
    Tags: ['x'],
    weights: { passing: 2 },
  })
})

const entry = (address: string, more: Record<string, string> | null, node = '10.0.0.9') => ({
  Node: { Address: node },
  Service: { Address: address, Meta: more },
})

test('instances are read: the address of the service or its node, its namespace or none', () => {
  const body = [
    entry('10.0.0.2', meta),
    entry('10.0.0.1', { DAPR_PORT: '7' }),
    entry('', meta),
    entry('[::1]', meta),
    entry('10.0.0.3', { ...meta, DAPR_NAMESPACE: 'other' }),
    entry('10.0.0.2', meta),
    entry('10.0.0.4', null),
  ]
  expect(readInstances(body, 'orders', 'shop', 'DAPR_PORT')).toEqual([
    { host: '10.0.0.1', port: 7 },
    { host: '10.0.0.2', port: 50_002 },
    { host: '10.0.0.9', port: 50_002 },
    { host: '::1', port: 50_002 },
  ])
})

test.each([null, {}, { DAPR_PORT: '0' }, { DAPR_PORT: 'x' }])(
  'where only %j says where, it is an error',
  (texts) => {
    expect(() => readInstances([entry('10.0.0.1', texts)], 'orders', 'shop', 'DAPR_PORT')).toThrow(
      '"orders" is registered with Consul, but without the port of its sidecar: its meta must have DAPR_PORT',
    )
  },
)

test('an answer of another kind is nobody', () => {
  for (const body of [undefined, {}, [], 'x']) expect(readInstances(body, 'a', 'b', 'P')).toEqual([])
})
