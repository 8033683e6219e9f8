import { isIPv6 } from 'node:net'
import type { MiddlewareRequest } from '@outrigger/spec'

/** Longest address that is looked at; what is longer is none. */
const maxLength = 64

/**
 * Whose request it is: the last entry of `X-Forwarded-For`, which the nearest proxy wrote; else `X-Real-IP`; else the
 * peer. Of an IPv6 address its network (/64), as one owner has all of that.
 */
export function addressOf({
  fields,
  remoteAddress,
}: Pick<MiddlewareRequest, 'fields' | 'remoteAddress'>): string {
  const forwarded = fields.getAll('x-forwarded-for').at(-1)
  const last = forwarded?.slice(forwarded.lastIndexOf(',') + 1).trim()
  const address = last || fields.get('x-real-ip')?.trim() || remoteAddress
  return networkOf(address.slice(0, maxLength).toLowerCase())
}

function networkOf(address: string): string {
  const plain = address.startsWith('[') ? address.slice(1, address.indexOf(']')) : address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  if (mapped !== null) return mapped[1]!
  if (!isIPv6(plain)) return address
  const [head = '', tail] = plain.split('%', 1)[0]!.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`
}
