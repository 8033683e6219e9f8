import { expect, test } from 'vitest'
import { currentLinks, linkKey } from './interfaces.ts'

const address = (family: 'IPv4' | 'IPv6', text: string) =>
  ({ family, address: text, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }) as never

const interfaces = {
  lo: [address('IPv4', '127.0.0.1'), address('IPv6', '::1')],
  eth0: [
    address('IPv4', '10.0.0.1'),
    address('IPv4', '10.0.0.2'),
    address('IPv6', 'fe80::1'),
    address('IPv6', 'fd00::1'),
  ],
}
const keys = (wanted?: readonly string[]): string[] => currentLinks(wanted, interfaces).map(linkKey)

test('every IPv4 address is a link, and all IPv6 addresses of an interface are one', () => {
  expect(keys()).toEqual(['lo 127.0.0.1', 'lo ::%lo', 'eth0 10.0.0.1', 'eth0 10.0.0.2', 'eth0 ::%eth0'])
})

test('they are chosen by name or address', () => {
  expect(keys(['lo'])).toEqual(['lo 127.0.0.1', 'lo ::%lo'])
  expect(keys(['10.0.0.2', '::1'])).toEqual(['lo ::%lo', 'eth0 10.0.0.2'])
  expect(keys(['tun0'])).toEqual([])
})
