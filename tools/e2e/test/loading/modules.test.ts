import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { App, component, endApps, endSidecars, startSidecar } from '../../src/index.ts'

afterEach(endSidecars)
afterEach(endApps)

const recorder = new URL('../../src/record-modules.js', import.meta.url).href

/** What was loaded by a sidecar with these resources: the packages, ours by their folders. */
async function loadedPackages(
  resources: string | readonly string[],
  use?: (url: string) => Promise<void>,
  appPort?: number,
): Promise<Set<string>> {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const file = join(path, 'modules.txt')
  const sidecar = await startSidecar({
    resources,
    imports: [recorder],
    env: { RECORD_MODULES: file },
    ...(appPort !== undefined && { appPort }),
  })
  await use?.(sidecar.url)
  await sidecar.stop()
  const packages = new Set<string>()
  for (const url of (await readFile(file, 'utf8')).split('\n')) {
    const own = /\/packages\/([^/]+)\/(?:src|dist)\//.exec(url)?.[1]
    // The last one: a package may lie inside of the folder of another.
    const foreign = [...url.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].at(-1)?.[1]
    if (own !== undefined) packages.add(own)
    else if (foreign !== undefined) packages.add(foreign)
  }
  return packages
}

test('with state.in-memory alone nothing of any other component is loaded', async () => {
  const packages = await loadedPackages(component('store', 'state.in-memory'), async (url) => {
    await fetch(`${url}/v1.0/state/store/k`)
    await fetch(`${url}/v1.0/metadata`)
  })
  console.log([...packages].toSorted().join(', '))
  // The whole list, so that nobody adds to it without seeing it here.
  expect([...packages].toSorted()).toEqual([
    'host',
    'kit',
    'runtime',
    'spec',
    'state-in-memory',
    'wire',
    'yaml',
  ])
})

test('without resources not even helpers of components are loaded', async () => {
  const packages = await loadedPackages('')
  expect([...packages].toSorted()).toEqual(['host', 'runtime', 'spec', 'wire', 'yaml'])
})

test('an application that speaks HTTP brings no messages of gRPC', async () => {
  const app = await App.start({ '*': {} })
  const call = async (url: string): Promise<void> => {
    expect((await fetch(`${url}/v1.0/invoke/app/method/x`)).status).toBe(200)
  }
  const packages = await loadedPackages('', call, app.port)
  expect([...packages].toSorted()).toEqual(['host', 'runtime', 'spec', 'wire', 'yaml'])
})

test('a component brings what it needs, and nothing of its neighbours', async () => {
  const packages = await loadedPackages([
    component('store', 'state.sqlite', { metadata: { connectionString: 'state.db' } }),
    component('secrets', 'secretstores.local.env'),
  ])
  expect(packages).toContain('state-sqlite')
  expect(packages).toContain('common-sqlite')
  expect(packages).toContain('secretstores-local-env')
  expect(packages).not.toContain('pubsub-sqlite')
  expect(packages).not.toContain('common-redis')
  expect(packages).not.toContain('ioredis')
})

test('the recorder sees what it is there for: a component of Redis brings ioredis', async () => {
  const redis = component('store', 'state.redis', {
    metadata: { redisHost: '127.0.0.1:1' },
    ignoreErrors: true,
  })
  const packages = await loadedPackages(redis)
  expect(packages).toContain('state-redis')
  expect(packages).toContain('ioredis')
})
