import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { tempFolder, waitFor } from '@outrigger/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { processesWith } from '../../src/index.ts'

test('a sidecar ends with the process that started it, even if that is killed', async () => {
  const mark = randomUUID()
  // Nobody is left to remove what the sidecar wrote.
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const index = new URL('../../src/index.ts', import.meta.url).href
  const code = `const { startSidecar } = await import(${JSON.stringify(index)})
    await startSidecar({ resources: '', env: { E2E_MARK: '${mark}' } })
    console.log('started')
    setInterval(() => {}, 1000)`
  const args = ['--conditions=@outrigger/source', '--input-type=module', '-e', code]
  const parent = spawn(process.execPath, args, {
    cwd: import.meta.dirname,
    env: { ...process.env, TMPDIR: path },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(createInterface({ input: parent.stdout }), 'line')
  expect(processesWith(`E2E_MARK=${mark}`)).toHaveLength(1)
  parent.kill('SIGKILL')
  await waitFor(() => processesWith(`E2E_MARK=${mark}`).length === 0, { what: 'the end of the sidecar' })
})
