import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { componentTypes } from '@outrigger/runtime'
import { tempFolder } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { CliFailure } from './failure.ts'
import { resourcesPaths } from './home.ts'
import { init } from './init.ts'

async function place() {
  const { path, remove } = await tempFolder('outrigger "init" ')
  onTestFinished(remove)
  const env = { OUTRIGGER_HOME: join(path, 'home') }
  const lines: string[] = []
  const run = (options: { resourcesPath?: string; force?: boolean } = {}) =>
    init({
      resourcesPath: options.resourcesPath,
      force: options.force ?? false,
      env,
      print: (line) => void lines.push(line),
    })
  return { path, env, lines, run }
}

test('writes resources that can be read, and run finds them', async () => {
  const { path, env, lines, run } = await place()
  expect(() => resourcesPaths([], env)).toThrow('run "outrigger init" once')
  await run()
  const folder = join(path, 'home', 'resources')
  expect(resourcesPaths([], env)).toEqual([folder])
  expect(resourcesPaths(['other'], env)).toEqual(['other'])
  expect(await componentTypes([folder])).toEqual(['pubsub.sqlite', 'state.sqlite'])
  expect(await readFile(join(folder, 'statestore.yaml'), 'utf8')).toContain(
    `value: ${JSON.stringify(join(path, 'home', 'data', 'state.db'))}`,
  )
  expect(lines.at(-1)).toBe('  outrigger run --app-id hello --app-port 3000 -- node app.js')
})

test('keeps what is there, unless told not to', async () => {
  const { path, lines, run } = await place()
  const resourcesPath = join(path, 'mine')
  await mkdir(resourcesPath)
  await writeFile(join(resourcesPath, 'pubsub.yaml'), 'my own')
  await run({ resourcesPath })
  expect(await readFile(join(resourcesPath, 'pubsub.yaml'), 'utf8')).toBe('my own')
  expect(lines).toContain(`kept ${join(resourcesPath, 'pubsub.yaml')} (use --force to write it anew)`)
  expect(lines.at(-1)).toContain(`--resources-path ${JSON.stringify(resourcesPath)}`)
  await run({ resourcesPath, force: true })
  expect(await readFile(join(resourcesPath, 'pubsub.yaml'), 'utf8')).toContain('pubsub.sqlite')
})

test('a folder that cannot be written is a line, not a stack', async () => {
  const { path, run } = await place()
  await writeFile(join(path, 'file'), '')
  await expect(run({ resourcesPath: join(path, 'file') })).rejects.toThrow(CliFailure)
  await expect(run({ resourcesPath: join(path, 'file', 'below') })).rejects.toThrow(CliFailure)
})
