import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { CliFailure } from '../failure.ts'
import { install, installCommand } from './install.ts'

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  return folder.path
}

const component = (type: string): string =>
  `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: one\nspec:\n  type: ${type}\n  version: v1\nscopes: [orders]\n`

/** What would be printed; nothing is installed. */
async function dryRun(types: readonly string[], ...resourcesPaths: string[]): Promise<string[]> {
  const lines: string[] = []
  const print = (line: string) => void lines.push(line)
  // Packages of this workspace can be found from here; none can from an empty folder.
  await install({ types, resourcesPaths, searchFrom: [], dryRun: true, print })
  return lines
}

test.each([
  ['state.sqlte', 'state.sqlite'],
  ['pubsub.reddis', 'pubsub.redis'],
])('%s is not installed from wherever, but asked back', async (type, meant) => {
  const failure = await dryRun([type]).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(CliFailure)
  expect((failure as Error).message).toContain(
    `${type} is no component of this release (did you mean ${meant}?)`,
  )
})

test('the packages of components are installed once each', async () => {
  const path = await folderWith({
    'a.yaml': `${component('bindings.cron')}---\n${component('bindings.cron')}`,
  })
  expect(await dryRun([], path)).toEqual([expect.stringMatching(/ @outrigger\/bindings-cron$/)])
})

test('what is in no state to be read is told, and installs nothing', async () => {
  const path = await folderWith({ 'a.yaml': component('bindings.cron'), 'b.yaml': 'kind: [Component' })
  await expect(dryRun([], path)).rejects.toThrow('b.yaml')
  await expect(dryRun([], '/does/not/exist')).rejects.toThrow('/does/not/exist: does not exist')
})

test('resources without components are said to be so', async () => {
  const path = await folderWith({})
  expect(await dryRun([], path)).toEqual([`no component is named in ${path}`])
})

test.each([
  ['pnpm-lock.yaml', 'pnpm add x'],
  ['yarn.lock', 'yarn add x'],
  ['bun.lock', 'bun add x'],
  ['package-lock.json', 'npm install x'],
])('the package manager of a folder with %s is used', async (file, command) => {
  const path = await folderWith({ [file]: '' })
  expect(installCommand(path, ['x']).join(' ')).toBe(command)
})
