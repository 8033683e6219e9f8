import { join } from 'node:path'
import { expect, test } from 'vitest'
import { capture, node, root } from '../src/run.ts'

const bootstrap = join(root, 'tools/workspace/bootstrap.mjs')

test('an older Node.js gets one clear line', async () => {
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '16.20.2' })"
  const args = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, bootstrap, 'build']
  const { code, stdout, stderr } = await capture(node, args)
  expect(code).toBe(1)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^This workspace needs Node\.js 18 or newer[^\n]*\n$/)
})

test('a script that does not exist gets one clear line', async () => {
  const { code, stderr } = await capture(node, [bootstrap, 'nosuch'])
  expect(code).toBe(1)
  expect(stderr).toBe('There is no script "nosuch" in tools/workspace.\n')
})
