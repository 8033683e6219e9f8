import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folders = {
  daprd: fileURLToPath(new URL('../../../../packages/runtime', import.meta.url)),
  outrigger: fileURLToPath(new URL('../../../../packages/cli', import.meta.url)),
}
const programs = ['daprd', 'outrigger'] as const

/** A Node.js of this machine that is too old, if there is one. */
function oldNode(): { readonly path: string; readonly version: string } | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim().slice(1)
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major < 22 || (major === 22 && minor < 18)) return { path, version }
  }
  return undefined
}

test.each(programs)('%s from its sources says which Node.js it needs', (program) => {
  const pretend = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '18.20.4' })"
  const args = [
    '--conditions=@outrigger/source',
    `--import=${pretend}`,
    join(folders[program], 'src/bin.ts'),
    '--version',
  ]
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(run.stderr).toBe(
    `${program} needs Node.js 22.18.0 or later; this is 18.20.4 (${process.execPath}).\n`,
  )
  expect(run.stdout).toBe('')
  expect(run.status).toBe(1)
})

const old = oldNode()
for (const program of programs) {
  const built = join(folders[program], 'dist/bin.js')
  const reason =
    old === undefined
      ? 'no Node.js below 22.18 in PATH'
      : existsSync(built)
        ? undefined
        : `${program} is not built`
  const name = `${program} as it is built, on a Node.js that is really too old`
  test.skipIf(reason !== undefined)(reason === undefined ? name : `${name} [skipped: ${reason}]`, () => {
    const run = spawnSync(old!.path, [built, '--version'], { encoding: 'utf8' })
    expect(run.stderr.split('\n')).toEqual([
      expect.stringMatching(
        new RegExp(`^${program} needs Node\\.js 22\\.18\\.0 or later; this is ${old!.version} `),
      ),
      '',
    ])
    expect(run.stdout).toBe('')
    expect(run.status).toBe(1)
  })
}
