import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { eachLine, sidecarLine } from './output.ts'

const entry = (more: object): string =>
  JSON.stringify({
    time: 't',
    level: 'info',
    msg: 'said',
    app_id: 'a',
    instance: 'i',
    scope: 's',
    type: 'log',
    ver: '1',
    ...more,
  })

test.each([
  ['a message alone', entry({}), 'said'],
  ['its level, where it is none of every day', entry({ level: 'error' }), 'error: said'],
  ['its fields', entry({ pubsub: 'bus', n: 1, list: ['a'] }), 'said pubsub=bus n=1 list=["a"]'],
  ['what is no JSON', 'daprd: --x is not known', 'daprd: --x is not known'],
  ['JSON that is no log line', '{"a":1}', '{"a":1}'],
  ['JSON that is no object', 'null', 'null'],
])('%s is shown', (_, line, shown) => expect(sidecarLine(line, false)).toBe(shown))

test('colours tell levels apart', () => {
  const [info, warning, error] = ['info', 'warning', 'error'].map((level) =>
    sidecarLine(entry({ level }), true),
  )
  expect(new Set([info, warning, error].map((line) => line!.slice(0, 5))).size).toBe(3)
  expect(error).toContain('error: said')
})

test('lines come whole, the last one too', async () => {
  const lines: string[] = []
  const stream = Readable.from([Buffer.from('on'), Buffer.from('e\r\ntwo\n\nla'), Buffer.from('st')])
  eachLine(stream, (line) => lines.push(line))
  await new Promise((resolve) => stream.on('close', resolve))
  await expect.poll(() => lines).toEqual(['one', 'two', '', 'last'])
})
