import { describe, expect, it } from 'vitest'
import { virtualClock } from '@outrigger/testkit'
import { createLog, errorText, type LogOptions } from '../index.ts'

const start = Date.UTC(2026, 10, 20, 10, 0, 0)
const tail = 'instance=host scope=dapr.runtime type=log ver=edge'

function log(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const own = createLog({
    level: 'debug',
    json: false,
    appId: '',
    instance: 'host',
    version: 'edge',
    clock: virtualClock(start),
    write: (line) => void lines.push(line),
    ...options,
  })
  return { lines, log: own, logger: own.scope('dapr.runtime') }
}

function text(message: string, fields?: Record<string, unknown>): string {
  const { lines, logger } = log()
  logger.info(message, fields)
  return lines[0]!.replace('time="2026-11-20T10:00:00Z" level=info ', '').trimEnd()
}

function json(message: string, fields?: Record<string, unknown>): string {
  const { lines, logger } = log({ json: true })
  logger.info(message, fields)
  return lines[0]!.trimEnd()
}

describe('a line of text', () => {
  it('has time, level and message, then the other fields by name', () => {
    const { lines, logger } = log({ appId: 'orders' })
    logger.warn('hello world')
    expect(lines).toEqual([
      `time="2026-11-20T10:00:00Z" level=warning msg="hello world" app_id=orders ${tail}\n`,
    ])
  })

  it.each([
    ['plain', 'msg=plain'],
    ['a-b.c_d/e@f^g+h', 'msg=a-b.c_d/e@f^g+h'],
    ['two words', 'msg="two words"'],
    ['say "x"', 'msg="say \\"x\\""'],
    ['back\\slash', 'msg="back\\\\slash"'],
    ['a=b', 'msg="a=b"'],
    ['line\nbreak\r\ttab', 'msg="line\\nbreak\\r\\ttab"'],
    ['\x1b[31mred\x00\x7f', 'msg="\\x1b[31mred\\x00\\x7f"'],
    ['nbsp\u00a0ls\u2028rtl\u202e', 'msg="nbsp\\u00a0ls\\u2028rtl\\u202e"'],
    ['grüße 日本', 'msg="grüße 日本"'],
    ['tag\u{e0001}', 'msg="tag\\U000e0001"'],
    ['half\ud800', 'msg="half\\ud800"'],
  ])('quotes %j as it must', (message, expected) => {
    expect(text(message)).toBe(`${expected} ${tail}`)
  })

  it('leaves an empty message out and an empty value bare', () => {
    expect(text('', { empty: '' })).toBe(`empty= ${tail}`)
  })

  it('cannot be forged by a message or a field', () => {
    const line = text('x\ntime="now" level=error msg=forged', {
      'a b\n="': 'c\nd',
      level: 'fatal',
      scope: 'other',
      app_id: 'me',
    })
    expect(line).not.toContain('\n')
    expect(line).toBe(`msg="x\\ntime=\\"now\\" level=error msg=forged" a_b___="c\\nd" ${tail}`)
  })

  it.each([
    [{ zebra: 1, alpha: 'a b' }, `alpha="a b" ${tail} zebra=1`],
    [
      { n: 1.5, t: true, x: null, big: 12n },
      `big=12 instance=host n=1.5 scope=dapr.runtime t=true type=log ver=edge x=null`,
    ],
    [{ gone: undefined }, tail],
    [{ bytes: new Uint8Array(3) }, `bytes="(3 bytes)" ${tail}`],
    [{ a: { b: [1] } }, `a="{\\"b\\":[1]}" ${tail}`],
  ])('with %o ends in %s', (fields, expected) => {
    expect(text('m', fields)).toBe(`msg=m ${expected}`)
  })
})

describe('a line of JSON', () => {
  it('has all names in order', () => {
    const { lines, logger } = log({ json: true, appId: 'orders' })
    logger.info('hello world', { zebra: 1, alpha: 'a b', empty: '', nested: { a: [1, '2'] } })
    expect(lines[0]).toBe(
      '{"alpha":"a b","app_id":"orders","empty":"","instance":"host","level":"info","msg":"hello world",' +
        '"nested":{"a":[1,"2"]},"scope":"dapr.runtime","time":"2026-11-20T10:00:00Z","type":"log","ver":"edge","zebra":1}\n',
    )
  })

  it('keeps an empty message, and values as they were', () => {
    const message = 'a <b> & "c"\n\u2028\u202e\x9b'
    expect(JSON.parse(json(''))).toMatchObject({ msg: '' })
    expect(JSON.parse(json(message, { v: message }))).toMatchObject({ msg: message, v: message })
    expect(json(message)).toMatch(/^[\x20-\x7e]*$/)
    expect(json(message)).not.toMatch(/[<>&]/)
  })

  it.each([
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [12n, '12'],
    [new Uint8Array(2), '(2 bytes)'],
    [new Date(start), '"2026-11-20T10:00:00.000Z"'],
    [new Map([['a', 1]]), { a: 1 }],
    [
      [1, new Error('x')],
      [1, 'x'],
    ],
    [() => 1, '() => 1'],
    [Symbol('s'), 'Symbol(s)'],
  ])('is valid with %s', (value, expected) => {
    expect(JSON.parse(json('m', { value })).value).toEqual(expected)
  })
})

describe('fields that are errors', () => {
  it.each([
    [new Error('boom'), 'boom'],
    [new Error('outer', { cause: new Error('inner', { cause: 'deep' }) }), 'outer: inner: deep'],
    [new Error('outer: inner', { cause: new Error('inner') }), 'outer: inner'],
    [new Error('outer: inner', { cause: new Error('inner', { cause: 'deep' }) }), 'outer: inner: deep'],
    [new Error('inner: remedy', { cause: new Error('inner') }), 'inner: remedy'],
    [new Error('winner', { cause: new Error('inner') }), 'winner: inner'],
    [new AggregateError([new Error('a'), new Error('b')], 'both'), 'both: a; b'],
    [new TypeError(''), 'TypeError'],
  ])('%s shows message and causes', (error, expected) => {
    expect(errorText(error)).toBe(expected)
    expect(JSON.parse(json('m', { error })).error).toBe(expected)
  })

  it('that are their own cause come to an end', () => {
    const error = new Error('a')
    error.cause = new Error('b', { cause: error })
    expect(errorText(error)).toBe('a: b')
  })
})

describe('a logger', () => {
  it('cuts what is too long', () => {
    const line = JSON.parse(json('m'.repeat(20_000), { v: 'v'.repeat(10_000), o: { a: 'o'.repeat(10_000) } }))
    expect(line.msg).toBe(`${'m'.repeat(16_384)}... (3616 more characters)`)
    expect(line.v).toMatch(/^v{8192}\.\.\. \(1808 more/)
    expect(line.o).toMatch(/^\{"a":"o+\.\.\. \(\d+ more/)
  })

  it('never fails, whatever it is given', () => {
    const loop: Record<string, unknown> = {}
    loop['loop'] = loop
    const hostile = {
      get bad() {
        throw new Error('no')
      },
      loop,
      evil: {
        toJSON: () => {
          throw new Error('no')
        },
      },
      revoked: (() => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      })(),
    }
    for (const asJson of [true, false]) {
      const { lines, logger } = log({ json: asJson })
      logger.info('m', hostile)
      logger.info(undefined as never)
      logger.info(Symbol('x') as never)
      expect(lines).toHaveLength(3)
      expect(lines[0]!.match(/\(unreadable\)/g)).toHaveLength(4)
    }
    const { logger } = log({
      write: () => {
        throw new Error('disk full')
      },
    })
    logger.error('m')
  })

  it('writes its level and above, which can be changed while running', () => {
    const { lines, log: own, logger } = log({ level: 'warn' })
    const child = logger.child('http')
    const all = () => {
      child.debug('debug')
      child.info('info')
      child.warn('warn')
      child.error('error')
      child.fatal('fatal')
      return lines.splice(0).map((line) => / msg=(\w+) /.exec(line)![1])
    }
    expect(all()).toEqual(['warn', 'error', 'fatal'])
    own.level = 'debug'
    expect(all()).toEqual(['debug', 'info', 'warn', 'error', 'fatal'])
    own.level = 'fatal'
    expect(all()).toEqual(['fatal'])
    expect([own.level, child.enabled('error'), child.enabled('fatal')]).toEqual(['fatal', false, true])
  })

  it('does not look at fields of a line that is not written', () => {
    const { logger } = log({ level: 'error' })
    logger.debug('m', {
      get expensive() {
        throw new Error('looked at')
      },
    })
  })

  it('has children of longer scopes, and other types', () => {
    const { lines, log: own, logger } = log()
    logger.child('http').child('state').info('m')
    own.scope('dapr.runtime.http-info', 'request').info('m')
    expect(lines[0]).toContain(' scope=dapr.runtime.http.state type=log ')
    expect(lines[1]).toContain(' scope=dapr.runtime.http-info type=request ')
  })

  it.each([
    [0, '2026-11-20T10:00:00Z'],
    [120, '2026-11-20T10:00:00.12Z'],
    [123, '2026-11-20T10:00:00.123Z'],
    [10_000, '2026-11-20T10:00:10Z'],
  ])('writes %i ms past ten as %s', async (ms, expected) => {
    const { lines, logger } = log({ clock: virtualClock(start + ms) })
    logger.info('m')
    expect(lines[0]).toContain(`time="${expected}"`)
  })
})
