import { afterAll, expect, it } from 'vitest'
import { Child, daprd } from '../../src/index.ts'
import { freePort, tempFolder } from '@outrigger/testkit'

const optimized = '[completed compiling'
let child: Child | undefined
afterAll(async () => void (await child?.end('SIGKILL')))

it('optimizes what requests use, though nothing was optimized at the start', async () => {
  const { path, remove } = await tempFolder('outrigger-e2e-')
  const port = await freePort()
  const flags = [
    '--app-id=compilers',
    `--dapr-http-port=${port}`,
    '--dapr-grpc-port=0',
    '--dapr-listen-addresses=127.0.0.1',
  ]
  child = new Child(daprd, flags, { cwd: path, nodeOptions: ['--trace-opt'] })
  await child.line('dapr initialized')
  const ours = (): number =>
    child!.lines.filter((line) => line.includes(optimized) && line.includes('cleanPath')).length
  expect(ours()).toBe(0)
  await child.waitUntil(async () => {
    for (let index = 0; index < 500; index++) {
      const response = await fetch(`http://127.0.0.1:${port}/v1.0/healthz/outbound`)
      await response.arrayBuffer()
    }
    return ours() > 0
  }, 'the handling of paths is optimized')
  await remove()
})
