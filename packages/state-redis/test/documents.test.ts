import type { RedisClient } from '@outrigger/common-redis'
import { describeWithService } from '@outrigger/services'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { applyDocumentsLua, readDocumentLua } from '../src/scripts.ts'
import { admin } from './admin.ts'
import { open, rejection } from './helpers.ts'

/**
 * Stands in for the two commands of RedisJSON that the scripts use: a document is a plain string here. Everything else
 * is the server's.
 */
const double = `
local server = redis
local redis = {}
local function json(name, key, path, text)
  local sort = server.call('TYPE', key).ok
  if name == 'JSON.SET' then
    if sort ~= 'none' and sort ~= 'string' then return {err = 'Existing key has wrong Redis type'} end
    cjson.decode(text)
    return server.call('SET', key, text, 'KEEPTTL')
  end
  if sort == 'none' then return false end
  if sort ~= 'string' then return {err = 'Existing key has wrong Redis type'} end
  local found = cjson.decode(server.call('GET', key))[string.sub(path, 2)]
  if found == nil then return {err = 'ERR Path does not exist'} end
  return cjson.encode(found)
end
function redis.pcall(name, ...)
  if string.sub(name, 1, 5) == 'JSON.' then return json(name, ...) end
  return server.pcall(name, ...)
end
function redis.call(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then error(reply) end
  return reply
end
`

function textual(reply: unknown): unknown {
  return Array.isArray(reply) ? reply.map(textual) : reply instanceof Buffer ? reply.toString() : reply
}

type Operation = readonly [
  sort: 's' | 'd',
  key: string,
  condition: string,
  data: string,
  ttl: string,
  flags: string,
]

describeWithService('redis', 'rows that are JSON documents', (get) => {
  let client: RedisClient
  beforeAll(async () => {
    client = await admin(get(), 7)
  })
  beforeEach(() => client.send('flushdb', []))
  afterAll(() => client.close())

  /** A command and its reply as text. */
  async function say(...words: readonly string[]): Promise<unknown> {
    const [name = '', ...args] = words
    return textual(await client.send(name, args))
  }

  function apply(...operations: readonly Operation[]): Promise<unknown> {
    const keys = [...new Set(operations.map(([, key]) => key))]
    const args = operations.flatMap(([sort, key, ...rest]) => [sort, String(keys.indexOf(key) + 1), ...rest])
    return say('eval', double + applyDocumentsLua, String(keys.length), ...keys, ...args)
  }
  const read = (key: string): Promise<unknown> => say('eval', double + readDocumentLua, '1', key)

  test('a document has the value, the version and the mark of a first write', async () => {
    expect(await apply(['s', 'a', '', '{"n":1}', '', 'j'])).toBe(-1)
    expect(await say('get', 'a')).toBe('{"data":{"n":1},"version":1}')
    expect(await apply(['s', 'a', '1', '[2]', '60000', 'jw'])).toBe(-1)
    expect(await say('get', 'a')).toBe('{"data":[2],"first-write":0,"version":2}')
    const [data, version, left] = (await read('a')) as [string, string, number]
    expect([data, version]).toEqual(['[2]', '2'])
    expect(left).toBeGreaterThan(50_000)
    expect(await apply(['s', 'a', '', '3', '', 'j'])).toBe(-1)
    expect(await say('pttl', 'a')).toBe(-1)
  })

  test('conditions hold, and one that does not keeps everything from being written', async () => {
    await apply(['s', 'a', '', '1', '', 'j'])
    expect(await apply(['s', 'b', '', '1', '', 'j'], ['s', 'a', '7', '2', '', 'j'])).toBe(1)
    expect(await say('exists', 'b')).toBe(0)
    expect(await apply(['s', 'a', 'f', '2', '', 'jw'])).toBe(0)
    expect(await apply(['d', 'a', '2', '', '', 'j'])).toBe(0)
    expect(await apply(['d', 'a', '1', '', '', 'j'])).toBe(-1)
    expect(await say('exists', 'a')).toBe(0)
  })

  test('hashes and documents stand side by side in one transaction', async () => {
    expect(
      await apply(['s', 'a', '', '1', '', 'j'], ['s', 'b', '', 'x', '', 'b'], ['s', 'c', '', '2', '', '']),
    ).toBe(-1)
    expect(await say('get', 'a')).toBe('{"data":1,"version":1}')
    expect(await say('hmget', 'b', 'data', 'version', 'binary')).toEqual(['x', '1', '1'])
    expect(await say('hmget', 'c', 'data', 'version', 'binary')).toEqual(['2', '1', null])
  })

  test('a row of the other sort is replaced, also within one transaction', async () => {
    await say('hset', 'a', 'data', '1', 'version', '4')
    expect(await apply(['s', 'a', '', '2', '', 'j'])).toBe(-1)
    expect(await say('get', 'a')).toBe('{"data":2,"version":1}')
    expect(await apply(['s', 'a', '', '3', '', ''])).toBe(-1)
    expect(await say('hget', 'a', 'data')).toBe('3')
    expect(
      await apply(['s', 'd', '', '1', '', 'j'], ['s', 'd', '', '2', '', ''], ['s', 'd', '', '3', '', 'j']),
    ).toBe(-1)
    expect(await say('get', 'd')).toBe('{"data":3,"version":3}')
  })

  test('what is no document is not read as one', async () => {
    await say('hset', 'a', 'data', '1', 'version', '4')
    expect([await read('a'), await read('none')]).toEqual([null, null])
  })

  test('indexes on a server without the modules are refused with the way out', async () => {
    const queryIndexes = '[{"name":"people","indexes":[{"key":"id","type":"NUMERIC"}]}]'
    const error = await rejection(open({ redisHost: `${get().host}:${get().port}`, queryIndexes }))
    expect([error.code, error.message]).toEqual([
      'FAILED_PRECONDITION',
      expect.stringContaining('RediSearch and RedisJSON'),
    ])
  })

  test('without the modules a document is an ordinary row', async () => {
    const store = await open({ redisHost: `${get().host}:${get().port}`, redisDB: '7' })
    const metadata = { contentType: 'application/json' }
    await store.set({ key: 'x', value: { bytes: Buffer.from('[1]'), kind: 'json' }, metadata }, {})
    expect(await say('hget', 'x', 'data')).toBe('[1]')
    expect(store.query).toBeUndefined()
    await store.close()
  })
})
