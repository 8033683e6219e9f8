import { expect, test } from 'vitest'
import { openDns } from './dns.ts'

test('an address is its own answer, and localhost is never asked for elsewhere', async () => {
  const dns = await openDns({ nameservers: ['127.0.0.1:1'] })
  expect(await dns.instances('2001:db8::1', 7)).toEqual({
    instances: [{ host: '2001:db8::1', port: 7 }],
    ttlMs: 60_000,
  })
  const { instances } = await dns.instances('localhost', 7)
  expect(instances.map(({ port }) => port)).toContain(7)
  expect(['127.0.0.1', '::1']).toContain(instances[0]!.host)
  dns.close()
})

test('a server that is no address is refused by name', async () => {
  await expect(openDns({ nameservers: ['8.8.8.8', 'dns.internal'] })).rejects.toThrow(
    'nameservers must be IP addresses with or without a port, got 8.8.8.8, dns.internal',
  )
})

test('whoever left does not wait for the answer', async () => {
  const dns = await openDns()
  await expect(dns.instances('localhost', 7, AbortSignal.abort())).rejects.toMatchObject({
    code: 'CANCELLED',
  })
})
