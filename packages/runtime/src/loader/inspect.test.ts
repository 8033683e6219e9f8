import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { StartupError } from '../config/startup-error.ts'
import { componentTypes } from './inspect.ts'

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder()
  onTestFinished(() => folder.remove())
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  return folder.path
}

const component = (name: string, type: string, scopes = ''): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${name}\nspec:\n  type: ${type}\n  version: v1\n${scopes}`

test('the types of all applications are found, whatever the scopes and names', async () => {
  const path = await folderWith({
    'a.yaml': component('store', 'state.redis', 'scopes: [orders]\n'),
    'b.yaml': component('store', 'state.sqlite', 'scopes: [shipping]\n'),
    'c.yaml': `${component('other', 'state.redis')}---\n${component('bus', 'pubsub.redis')}`,
  })
  expect(await componentTypes([path])).toEqual(['state.redis', 'state.sqlite', 'pubsub.redis'])
})

test('what cannot be read is an error, and not a component less', async () => {
  const path = await folderWith({ 'a.yaml': 'kind: [Component', 'b.yaml': component('store', 'state.redis') })
  const failure = await componentTypes([path, '/does/not/exist']).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(StartupError)
  expect((failure as StartupError).lines).toEqual([
    expect.stringContaining('a.yaml'),
    '/does/not/exist: does not exist: correct --resources-path, or create the folder',
  ])
})

test('a component without a type is an error as well', async () => {
  const path = await folderWith({ 'a.yaml': component('store', '""') })
  await expect(componentTypes([path])).rejects.toThrow(
    `${join(path, 'a.yaml')}:1: Component "store": spec.type is missing`,
  )
})
