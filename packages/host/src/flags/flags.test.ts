import { describe, expect, expectTypeOf, it } from 'vitest'
import { type Flag, FlagError, parseFlags, renderHelp, renderMarkdown, splitArguments } from '../index.ts'
import { formatDuration, readBool, readDuration, readQuantity } from './units.ts'

const table = [
  { name: 'app-id', type: 'string', short: 'a', env: 'APP_ID', description: 'Name of the application' },
  { name: 'port', type: 'port', default: '3500', description: 'Port | of the API' },
  { name: 'app-port', type: 'port', description: 'Port of the application' },
  { name: 'mtls', type: 'bool', default: 'false', description: 'Protect connections' },
  { name: 'api-logging', type: 'bool', description: 'Log calls' },
  { name: 'max', type: 'int', default: '-1', description: 'Most calls' },
  { name: 'body', type: 'quantity', default: '4Mi', description: 'Largest body' },
  { name: 'timeout', type: 'duration', default: '3s', description: 'How long to wait' },
  { name: 'interval', type: 'duration', bareUnit: 's', default: '5', description: 'Pause' },
  { name: 'path', type: 'list', description: 'Folders' },
  {
    name: 'mode',
    type: 'string',
    choices: ['standalone', 'kubernetes'],
    default: 'standalone',
    description: 'Where',
  },
  { name: 'token', type: 'int', secret: true, env: 'TOKEN', description: 'A secret number' },
  { name: 'old', type: 'string', deprecated: 'use --new', description: 'Old one' },
  { name: 'later', type: 'string', unbuilt: 'jobs', description: 'Comes later' },
  { name: 'inner', type: 'string', hidden: true, description: 'Not listed' },
] as const satisfies readonly Flag[]

const parse = (argv: string[], env: Record<string, string> = {}) => parseFlags(table, argv, env)
const problems = (argv: string[], env: Record<string, string> = {}): readonly string[] => {
  try {
    parse(argv, env)
  } catch (error) {
    if (error instanceof FlagError) return error.problems
    throw error
  }
  return []
}

describe('a command line', () => {
  it.each([
    [['--app-id=x'], 'app-id', 'x'],
    [['--app-id', 'x'], 'app-id', 'x'],
    [['-app-id', 'x'], 'app-id', 'x'],
    [['-app-id=x'], 'app-id', 'x'],
    [['-a', 'x'], 'app-id', 'x'],
    [['-a=x'], 'app-id', 'x'],
    [['--app-id='], 'app-id', ''],
    [['--app-id=a=b'], 'app-id', 'a=b'],
    [['--app-id=a\nb'], 'app-id', 'a\nb'],
    [['--app-id', '-x'], 'app-id', '-x'],
    [['--app-id=x', '--app-id=y'], 'app-id', 'y'],
    [['--mtls'], 'mtls', true],
    [['-mtls'], 'mtls', true],
    [['--mtls=true'], 'mtls', true],
    [['--mtls=false'], 'mtls', false],
    [['--mtls=1'], 'mtls', true],
    [['--mtls=F'], 'mtls', false],
    [[], 'mtls', false],
    [[], 'api-logging', undefined],
    [['--api-logging=false'], 'api-logging', false],
    [['--max', '-5'], 'max', -5],
    [[], 'max', -1],
    [['--port=0'], 'port', 0],
    [['--port='], 'port', undefined],
    [[], 'port', 3500],
    [[], 'app-port', undefined],
    [['--body=1Ki'], 'body', 1024],
    [[], 'body', 4194304],
    [['--timeout=1m30s'], 'timeout', 90000],
    [['--interval=7'], 'interval', 7000],
    [['--interval=7ms'], 'interval', 7],
    [[], 'path', []],
    [['--path=a,b', '--path', ' c ,,'], 'path', ['a', 'b', 'c']],
    [['--mode', 'kubernetes'], 'mode', 'kubernetes'],
    [['--inner=x'], 'inner', 'x'],
  ] as const)('%j gives %s = %j', (argv, name, value) => {
    expect(parse([...argv]).values[name]).toEqual(value)
  })

  it('is typed by its table', () => {
    const { values } = parse([])
    expectTypeOf(values['app-id']).toEqualTypeOf<string | undefined>()
    expectTypeOf(values.port).toEqualTypeOf<number>()
    expectTypeOf(values['api-logging']).toEqualTypeOf<boolean | undefined>()
    expectTypeOf(values.path).toEqualTypeOf<readonly string[]>()
    expectTypeOf(values.mode).toEqualTypeOf<'standalone' | 'kubernetes'>()
    // @ts-expect-error not in the table
    expect(values['nothing']).toBeUndefined()
  })

  it('wins over the environment, which wins over the default', () => {
    expect(parse([], { APP_ID: 'env' }).values['app-id']).toBe('env')
    expect(parse(['-a', 'flag'], { APP_ID: 'env' }).values['app-id']).toBe('flag')
    expect(parse([], { APP_ID: '' }).values['app-id']).toBeUndefined()
    expect([...parse(['-a', 'flag', '--mtls'], { TOKEN: '1' }).given]).toEqual(['app-id', 'mtls'])
  })

  it.each([
    [['--app-idd=x'], '--app-idd is not known; did you mean --app-id?'],
    [['--Mode=x'], '--Mode is not known; did you mean --mode?'],
    [['--timeou', 'x'], '--timeou is not known; did you mean --timeout?'],
    [['--zzz'], '--zzz is not known'],
    [['--innerr=x'], '--innerr is not known'],
    [['--app-id'], '--app-id needs a value: --app-id=<string>'],
    [['--app-id', '--mtls'], '--app-id needs a value: --app-id=<string>, and --mtls is a flag'],
    [['--port=70000'], '--port=70000 is not a port from 0 to 65535'],
    [['--port', 'http'], '--port=http is not a port from 0 to 65535'],
    [['--max=1.5'], '--max=1.5 is not a whole number'],
    [['--max='], '--max= is not a whole number'],
    [['--body=4MB'], '--body=4MB is not a whole number of bytes such as 4Mi or 65536'],
    [['--body=4m'], '--body=4m is not a whole number of bytes such as 4Mi or 65536'],
    [['--timeout=5'], '--timeout=5 is not a duration such as 30s or 1m30s'],
    [['--mtls=maybe'], '--mtls=maybe is not true or false'],
    [['--mode=cloud'], '--mode=cloud is not one of standalone, kubernetes'],
    [['--token=hunter2'], '--token (not shown) is not a whole number'],
    [['false'], '"false" is not a flag: a boolean is written --flag=false'],
    [['-'], '"-" is not a flag'],
    [['---x'], '"---x" is not a flag'],
  ])('%j is refused: %s', (argv, message) => {
    const found = problems(argv)
    expect(found[0]).toBe(message)
    expect(found.join()).not.toContain('hunter2')
  })

  it('shows all that is wrong at once, and never a secret of the environment', () => {
    expect(problems(['--nope', '--max=x'], { TOKEN: 'hunter2' })).toEqual([
      '--nope is not known',
      '--max=x is not a whole number',
      'TOKEN (not shown) is not a whole number',
    ])
  })

  it('warns of what is deprecated or without effect, when it is given', () => {
    expect(parse([]).warnings).toEqual([])
    expect(parse(['--old=x', '--later=y']).warnings).toEqual([
      '--old is deprecated: use --new',
      '--later has no effect yet: jobs is not built',
    ])
  })

  it.each([['--help'], ['-h'], ['-help']])('with %s asks for help, whatever else is wrong', (word) => {
    expect(parseFlags(table, ['--nope', word]).help).toBe(true)
  })

  it('ends at two dashes', () => {
    const { values, afterDashes, rest } = parse(['--mtls', '--', 'node', '--app-id=x'])
    expect([values.mtls, values['app-id'], afterDashes, rest]).toEqual([
      true,
      undefined,
      ['node', '--app-id=x'],
      [],
    ])
    expect(parse(['--mtls']).afterDashes).toBeUndefined()
  })

  it('can have other words, or end at the first', () => {
    expect(splitArguments(table, ['run', '--mtls', 'x'], { words: 'collect' })).toMatchObject({
      rest: ['run', 'x'],
      given: { mtls: 'true' },
      problems: [],
    })
    expect(splitArguments(table, ['-a', 'me', 'node', 'x.js', '--mtls'], { words: 'stop' })).toMatchObject({
      rest: ['node', 'x.js', '--mtls'],
      given: { 'app-id': 'me' },
      problems: [],
    })
  })

  it('cannot reach the prototype of anything', () => {
    expect(problems(['--__proto__=x', '--constructor=y'])).toHaveLength(2)
  })
})

describe('rendering', () => {
  it('shows each flag with type, default, environment and notes', () => {
    const help = renderHelp(table, 90)
    expect(help).toContain('  -a, --app-id <string>  Name of the application (env APP_ID)\n')
    expect(help).toContain('  --mtls                 Protect connections\n')
    expect(help).toContain('(one of standalone, kubernetes; default standalone)')
    expect(help).toContain('(deprecated: use --new)')
    expect(help).not.toContain('inner')
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(90)
  })

  it('makes a Markdown table', () => {
    const lines = renderMarkdown(table).trimEnd().split('\n')
    expect(lines).toHaveLength(table.length - 1 + 2)
    expect(lines).toContain('| `--port` | port | `3500` |  | Port \\| of the API |')
    expect(lines).toContain('| `--app-id` | string |  | `APP_ID` | Name of the application |')
  })
})

describe('units', () => {
  it.each([
    ['5s', 5000],
    ['1m30s', 90000],
    ['1.5h', 5400000],
    ['300ms', 300],
    ['100us', 0.1],
    ['-5s', -5000],
    ['+1s', 1000],
    ['0', 0],
    ['.5s', 500],
    ['1h2m3s4ms', 3723004],
    [' 5s ', 5000],
    ['5', undefined],
    ['', undefined],
    ['s', undefined],
    ['5 s', undefined],
    ['5d', undefined],
    ['1m30', undefined],
  ])('duration %j is %s ms', (text, ms) => {
    if (ms === undefined) expect(readDuration(text)).toBeUndefined()
    else expect(readDuration(text)).toBeCloseTo(ms, 6)
  })

  it.each([
    [0, '0s'],
    [5000, '5s'],
    [90000, '1m30s'],
    [500, '500ms'],
    [1500, '1.5s'],
    [3600000, '1h0m0s'],
    [-5000, '-5s'],
    [0.5, '500µs'],
    [3723004, '1h2m3.004s'],
  ])('%i ms is written %s, and read again', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
    expect(readDuration(text)).toBe(ms)
  })

  it.each([
    ['4Mi', 4194304],
    ['4Ki', 4096],
    ['1k', 1000],
    ['1M', 1e6],
    ['1.5Ki', 1536],
    ['512', 512],
    ['0', 0],
    ['1e3', 1000],
    ['-1', -1],
    ['4m', 1],
    ['-0.5', -1],
    ['1.1k', 1100],
    ['.5Ki', 512],
    ['2E', 2 ** 53 - 1],
    ['1E3', 1000],
    ['1e999', 2 ** 53 - 1],
    ['4MB', undefined],
    ['4K', undefined],
    ['', undefined],
    ['Mi', undefined],
    ['0.5', 1],
    ['9Ei', 2 ** 53 - 1],
  ])('quantity %j is %s', (text, bytes) => {
    expect(readQuantity(text)).toBe(bytes)
  })

  it.each([
    ['true', true],
    ['T', true],
    ['1', true],
    ['yes', true],
    ['On', true],
    ['false', false],
    ['F', false],
    ['0', false],
    ['no', false],
    ['OFF', false],
    ['', undefined],
    ['2', undefined],
    ['tru', undefined],
  ])('boolean %j is %s', (text, value) => {
    expect(readBool(text)).toBe(value)
  })
})
