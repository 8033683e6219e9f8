import { fileURLToPath } from 'node:url'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { InProcessApp as ClientApp } from '@outrigger/client/app'
import type { InProcessRuntime } from '@outrigger/client/in-process'
import type { InProcessApp, Runtime } from '@outrigger/runtime'
import { expect, expectTypeOf, test } from 'vitest'

test('a runtime is what the client calls in-process, and takes its app', () => {
  expectTypeOf<Runtime>().toExtend<InProcessRuntime>()
  expectTypeOf<ClientApp>().toExtend<InProcessApp>()
})

/** The modules that a program loads, by the packages that they belong to. */
async function loadedBy(program: string): Promise<string> {
  const hook = `
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({ load(url, context, next) { seen.add(url); return next(url, context) } })
    const program = async () => { ${program} }
    await program()
    process.stdout.write([...seen].join('\\n'))
  `
  const here = fileURLToPath(new URL('.', import.meta.url))
  const args = ['--conditions=@outrigger/source', '--input-type=module', '--eval', hook]
  return (await promisify(execFile)(process.execPath, args, { cwd: here })).stdout
}

test.each([
  '@outrigger/client',
  '@outrigger/client/in-process',
  '@outrigger/client/app',
  '@outrigger/client/express',
])('%s loads neither protobuf nor gRPC', async (name) => {
  const loaded = await loadedBy(`await import(${JSON.stringify(name)})`)
  expect(loaded).toContain('packages/client/src')
  expect(loaded).not.toMatch(/packages\/proto|bufbuild|src\/grpc|http2|node_modules/)
})

test('gRPC loads what it needs', async () => {
  expect(await loadedBy(`await import('@outrigger/client/grpc')`)).toMatch(/bufbuild/)
})
