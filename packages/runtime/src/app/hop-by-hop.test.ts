import { Fields } from '@outrigger/wire'
import { expect, it } from 'vitest'
import { withoutHopByHop } from './hop-by-hop.ts'

it('takes out what belongs to one connection, however it is written', () => {
  const fields = new Fields([
    'Connection',
    'close, X-Mine',
    'TE',
    'trailers',
    'transfer-encoding',
    'chunked',
    'Proxy-Authorization',
    'secret',
    'x-mine',
    'of this connection',
    'X-Other',
    'kept',
    'user-agent',
    'kept',
  ])
  expect(withoutHopByHop(fields)).toBe(fields)
  expect([...fields]).toEqual([
    ['x-other', 'kept'],
    ['user-agent', 'kept'],
  ])
})

it('leaves other fields as they are', () => {
  const fields = new Fields(['content-type', 'text/plain', 'etag', '1'])
  expect(withoutHopByHop(fields).flat()).toEqual(['content-type', 'text/plain', 'etag', '1'])
})
