import { expect, test } from 'vitest'
import { readInstances, type Source } from './read.ts'

const none = { stringValue: undefined, filePath: undefined }
const json = (stringValue: string): Source => ({ ...none, structuredType: 'json', stringValue })
const read = (source: Source): Promise<unknown> =>
  readInstances(source, '/tmp').then((instances) => Object.fromEntries(instances))

test('the first of domain, ipv4 and ipv6 counts', async () => {
  const text = `{"appInstances":{
    "a":[{"domain":"a.internal","ipv4":"10.0.0.1","ipv6":"::1","port":1},
         {"domain":"","ipv4":"10.0.0.1","ipv6":"::1","port":2}, {"ipv6":"::1","port":65535}],
    "b":[]}}`
  expect(await read(json(text))).toEqual({
    a: [
      { host: 'a.internal', port: 1 },
      { host: '10.0.0.1', port: 2 },
      { host: '::1', port: 65_535 },
    ],
    b: [],
  })
})

test('YAML means the same, and names are read in upper and lower case alike', async () => {
  const stringValue = 'AppInstances:\n  a:\n    - IPv4: 10.0.0.1\n      Port: 1\n'
  expect(await read({ ...none, structuredType: 'yaml', stringValue })).toEqual({
    a: [{ host: '10.0.0.1', port: 1 }],
  })
})

test.each([
  [json('{'), 'stringValue is no JSON: '],
  [{ ...none, structuredType: 'yaml', stringValue: 'a: [' } as Source, 'stringValue is no YAML: '],
  [json('[]'), 'stringValue must have an object appInstances'],
  [json('{"appInstances":[]}'), 'stringValue must have an object appInstances'],
  [json('{"appInstances":{"a":{}}}'), 'stringValue: appInstances["a"] must be a list'],
  [
    json('{"appInstances":{"a":[1]}}'),
    'appInstances["a"][0] must be an object with domain, ipv4 or ipv6, and port',
  ],
  [json('{"appInstances":{"a":[{"port":1}]}}'), 'appInstances["a"][0] must have domain, ipv4 or ipv6'],
  [
    json('{"appInstances":{"a":[{"ipv4":"10.0.0.1"}]}}'),
    'appInstances["a"][0].port must be a number from 1 to 65535, got undefined',
  ],
  [
    json('{"appInstances":{"a":[{"ipv4":"10.0.0.1","port":"80"}]}}'),
    '.port must be a number from 1 to 65535, got "80"',
  ],
  [json('{"appInstances":{"a":[{"ipv4":"10.0.0.1","port":0}]}}'), 'got 0'],
  [json('{"appInstances":{"a":[{"ipv4":"::1","port":1}]}}'), '.ipv4 must be an IPv4 address, got "::1"'],
  [json('{"appInstances":{"a":[{"ipv6":"[::1]","port":1}]}}'), '.ipv6 must be an IPv6 address, got "[::1]"'],
  [
    json('{"appInstances":{"a":[{"domain":"http://a","port":1}]}}'),
    '.domain must be a host name, got "http://a"',
  ],
  [json('{"appInstances":{"a":[{"domain":5,"port":1}]}}'), '.domain must be a host name, got 5'],
  [{ ...none, structuredType: 'json' } as Source, 'stringValue is required with structuredType json'],
  [{ ...none, structuredType: 'yamlFile' } as Source, 'filePath is required with structuredType yamlFile'],
  [
    { ...none, structuredType: 'jsonFile', filePath: 'no/such.json' } as Source,
    'filePath /tmp/no/such.json cannot be read (ENOENT)',
  ],
])('%j is refused', async (source, message) => {
  await expect(read(source)).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    message: expect.stringContaining(message) as string,
  })
})
