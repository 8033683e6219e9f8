import { openDns } from '@outrigger/kit'
import { expect, test } from 'vitest'
import { NameFormatResolver } from './resolver.ts'

const dns = await openDns()

async function resolve(format: string, appId: string, port?: number): Promise<unknown> {
  const resolver = new NameFormatResolver(format, dns)
  const { instances } = await resolver.resolve({ appId, namespace: 'default', port, metadata: {} }, {})
  return instances
}

test.each([
  ['127.0.0.{appid}:80', '7', [{ host: '127.0.0.7', port: 80 }]],
  ['{appid}.0.0.{appid}', '9', [{ host: '9.0.0.9', port: 50_002 }]],
])('%s of %s', async (format, appId, instances) => {
  expect(await resolve(format, appId, 50_002)).toEqual(instances)
})

test.each(['no placeholder', 'localhost:80', ''])('%j is refused: there is no placeholder', (format) => {
  expect(() => new NameFormatResolver(format, dns)).toThrow(
    `format must contain {appid}, got ${JSON.stringify(format)}`,
  )
})

test.each(['http://{appid}', '{appid}:', '{appid}:port', '{appid} x', '{appid}:0', '{appid}/x'])(
  '%j is refused: it makes no address',
  (format) => {
    expect(() => new NameFormatResolver(format, dns)).toThrow('format must be a name and a port')
  },
)

test.each(['', 'a/b', 'evil.example:1', 'a b', '[::1]', 'a'.repeat(64)])(
  'the id %j is refused',
  async (appId) => {
    await expect(resolve('{appid}:80', appId)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  },
)

test('without any port there is no address', async () => {
  await expect(resolve('{appid}.0.0.1', '127')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: 'the format {appid}.0.0.1 has no port, and none was given',
  })
})
