import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { component, modulesPath } from '../../src/index.ts'
import { place } from './outrigger.ts'

test('init writes resources that need no server, and leaves alone what is there', async () => {
  const here = await place()
  const first = await here.outrigger(['init']).ended()
  expect(first.code).toBe(0)
  const state = join(here.home, 'resources/statestore.yaml')
  expect(first.output).toContain(`wrote ${state}`)
  expect(await readFile(state, 'utf8')).toContain('type: state.sqlite')
  expect(await readFile(join(here.home, 'resources/pubsub.yaml'), 'utf8')).toContain('type: pubsub.sqlite')
  await here.write('home/resources/statestore.yaml', 'mine')
  const second = await here.outrigger(['init']).ended()
  expect(second.code).toBe(0)
  expect(second.output).toContain(`kept ${state}`)
  expect(await readFile(state, 'utf8')).toBe('mine')
  expect((await here.outrigger(['init', '--force']).ended()).output).toContain(`wrote ${state}`)
  expect(await readFile(state, 'utf8')).toContain('state.sqlite')
})

test('init writes where it is told to', async () => {
  const here = await place()
  const { code, output } = await here.outrigger(['init', '--resources-path', 'deploy/resources']).ended()
  expect(code).toBe(0)
  expect(output).toContain('--resources-path deploy/resources')
  expect(await readFile(join(here.folder, 'deploy/resources/pubsub.yaml'), 'utf8')).toContain(
    join(here.folder, 'deploy/data'),
  )
})

test('components list says what there is and what is installed', async () => {
  const here = await place()
  const bare = await here.outrigger(['components', 'list']).ended()
  expect(bare.code).toBe(0)
  // The command brings the defaults, and nothing of Redis.
  expect(bare.output).toMatch(/^state\.sqlite +\d+\.\d+\.\d+ +@outrigger\/state-sqlite/m)
  expect(bare.output).toMatch(/^state\.redis +- +@outrigger\/state-redis/m)
  const all = here.outrigger(['components', 'list', '--json'], { cwd: modulesPath })
  const rows = JSON.parse((await all.ended()).output) as { type: string; installed: string | null }[]
  expect(rows.map((row) => row.type)).toEqual(
    expect.arrayContaining([
      'state.in-memory',
      'state.redis',
      'state.sqlite',
      'pubsub.in-memory',
      'pubsub.redis',
      'pubsub.sqlite',
      'bindings.cron',
      'bindings.http',
      'bindings.localstorage',
      'secretstores.local.env',
      'secretstores.local.file',
    ]),
  )
  expect(rows.find((row) => row.type === 'state.redis')!.installed).toMatch(/^\d/)
})

test('components describe prints the metadata from the one source', async () => {
  const here = await place()
  const { code, output } = await here
    .outrigger(['components', 'describe', 'state.redis'], { cwd: modulesPath })
    .ended()
  expect(code).toBe(0)
  expect(output).toMatch(/^state\.redis /)
  const { default: definition } = await import('@outrigger/state-redis')
  const { metadata, capabilities } = definition.versions['v1']!
  expect(output).toContain(`Capabilities: ${capabilities.join(', ')}`)
  expect(metadata.fields.length).toBeGreaterThan(10)
  for (const field of metadata.fields) {
    const line = output.split('\n').find((text) => text.startsWith(`${field.name} `))
    expect(line).toContain(field.description)
    expect(line).toContain(field.default ?? '')
  }
  const json = await here
    .outrigger(['components', 'describe', 'STATE.redis', '--json'], { cwd: modulesPath })
    .ended()
  expect(JSON.parse(json.output)).toMatchObject({
    type: 'state.redis',
    versions: [{ version: 'v1', metadata: expect.any(Array) }],
  })
})

test('components describe of what is not installed or is none', async () => {
  const here = await place()
  const absent = await here.outrigger(['components', 'describe', 'state.redis']).ended()
  expect(absent.code).toBe(1)
  expect(absent.output).toContain('npm install @outrigger/state-redis')
  const none = await here.outrigger(['components', 'describe', 'stat.redis']).ended()
  expect(none.code).toBe(1)
  expect(none.output.split('\n')).toHaveLength(1)
  expect(none.output).toContain('stat.redis')
})

test('components install --dry-run shows the command, for types and for what resources name', async () => {
  const here = await place()
  const named = await here
    .outrigger(['components', 'install', '--dry-run', 'state.redis', 'pubsub.redis', 'state.sqlite'])
    .ended()
  expect(named.code).toBe(0)
  expect(named.output.split('\n')).toEqual([
    'state.sqlite is installed',
    'npm install @outrigger/state-redis @outrigger/pubsub-redis',
  ])
  await here.write('pnpm-lock.yaml', '')
  await here.write(
    'components.yaml',
    [component('a', 'state.redis'), component('b', 'secretstores.local.env')].join('---\n'),
  )
  const fromFiles = await here.outrigger(['components', 'install', '--dry-run', '-d', '.']).ended()
  expect(fromFiles.output.split('\n').at(-1)).toBe(
    'pnpm add @outrigger/state-redis @outrigger/secretstores-local-env',
  )
})

test('help names every command, --version prints the version', async () => {
  const here = await place()
  const help = await here.outrigger(['--help']).ended()
  for (const word of ['init', 'run', 'components']) expect(help.output).toContain(word)
  expect(help.code).toBe(0)
  expect((await here.outrigger(['--version']).ended()).output).toMatch(/^\d+\.\d+\.\d+$/)
  const unknown = await here.outrigger(['fly']).ended()
  expect(unknown.code).not.toBe(0)
  expect(unknown.output).toContain('fly')
})
