import { TestRequest } from '@outrigger/conformance'
import { expect, test } from 'vitest'
import { addressOf } from './address.ts'

test.each([
  [{}, '10.0.0.1', '10.0.0.1'],
  [{}, '', ''],
  [{ 'x-forwarded-for': '1.1.1.1, 2.2.2.2' }, '10.0.0.1', '2.2.2.2'],
  [{ 'x-forwarded-for': ' ' }, '10.0.0.1', '10.0.0.1'],
  [{ 'x-real-ip': '3.3.3.3' }, '10.0.0.1', '3.3.3.3'],
  [{ 'x-real-ip': '3.3.3.3', 'x-forwarded-for': '1.1.1.1' }, '10.0.0.1', '1.1.1.1'],
  [{}, '2001:DB8:0:1:a:b:c:d', '2001:db8:0:1::/64'],
  [{}, '2001:db8::1', '2001:db8:0:0::/64'],
  [{}, '2001:0db8:0000:0001::9', '2001:db8:0:1::/64'],
  [{}, '::1', '0:0:0:0::/64'],
  [{}, 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  [{}, '::ffff:1.2.3.4', '1.2.3.4'],
  [{ 'x-forwarded-for': '[2001:db8::1]:80' }, '', '2001:db8:0:0::/64'],
  [{ 'x-forwarded-for': 'x'.repeat(100) }, '', 'x'.repeat(64)],
])('%j from %s is %s', (fields, remoteAddress, address) => {
  expect(addressOf(new TestRequest({ fields: fields as Record<string, string>, remoteAddress }))).toBe(
    address,
  )
})
