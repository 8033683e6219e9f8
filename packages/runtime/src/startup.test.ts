import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { recordingLogger, seededRandom, tempFolder, virtualClock } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { schema } from '../test/support/loading.ts'
import { defineStateStore } from '@outrigger/spec'
import { runtimeOptions, type FlagInput } from './config/options.ts'
import { StartupError } from './config/startup-error.ts'
import { load, unload } from './startup.ts'

const life: string[] = []

const definition = defineStateStore({
  type: 'state.fake',
  title: 'Fake',
  versions: {
    v1: {
      metadata: schema(),
      capabilities: [],
      async create({ name }) {
        life.push(`create ${name}`)
        return {
          capabilities: new Set(),
          get: async () => undefined,
          set: async () => {},
          delete: async () => {},
          close: async () => void life.push(`close ${name}`),
        }
      },
    },
  },
})

async function setUp(files: Readonly<Record<string, string>>, flags: FlagInput = {}) {
  life.length = 0
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  await mkdir(join(folder.path, 'resources'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  const at = (name: string): string => join(folder.path, name)
  const logger = recordingLogger()
  const options = runtimeOptions({ 'app-id': 'shop', 'resources-path': at('resources'), ...flags }, {})
  const tools = {
    logger,
    clock: virtualClock(),
    random: seededRandom(1),
    signal: new AbortController().signal,
  }
  const around = { logger, listen: false, definitions: [definition] }
  return {
    at,
    logger,
    load: (config?: string) =>
      load(config === undefined ? options : { ...options, configPaths: [at(config)] }, around, tools),
  }
}

const store = (name: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: ${name} }\nspec: { type: state.fake, version: v1 }\n`

test('what can be read is created, and closed in reverse; what cannot is told', async () => {
  const { load, logger, at } = await setUp({
    'resources/a.yaml': `${store('one')}---\n${store('two')}`,
    'resources/b.yaml': 'kind: [Component',
    'resources/c.yaml': `${store('elsewhere')}scopes: [other]\n`,
    'resources/notes.txt': 'not looked at',
    'resources/d.yaml':
      'apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: { name: s }\nspec: { pubsubname: bus, topic: t, routes: { default: /t } }\n',
  })
  const loaded = await load()
  expect(loaded.components.map(({ resource }) => resource.name)).toEqual(['one', 'two'])
  expect(loaded.subscriptions).toMatchObject([{ name: 's', topic: 't' }])
  expect(logger.messages('error')).toEqual([expect.stringContaining(at('resources/b.yaml'))])
  await unload(loaded, logger)
  expect(life).toEqual(['create one', 'create two', 'close two', 'close one'])
})

test('everything that stops the start is told at once, before anything is created', async () => {
  const { load, at } = await setUp({
    'resources/a.yaml': `${store('one')}---\n${store('one')}`,
    'config.yaml':
      'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: { name: c }\nspec: { accessControl: { defaultAction: x } }\n',
  })
  const failure = await load('config.yaml').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(StartupError)
  expect((failure as StartupError).lines).toEqual([
    expect.stringContaining(`${at('config.yaml')}:`),
    expect.stringContaining('metadata.name is taken by the Component at'),
  ])
  expect(life).toEqual([])
})

test('a Configuration that is not there stops the start', async () => {
  const { load, at } = await setUp({})
  await expect(load('none.yaml')).rejects.toThrow(`${at('none.yaml')}: does not exist`)
})
