import { freePort } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { place } from './outrigger.ts'

const app = `import { createServer } from 'node:http'
const dapr = 'http://127.0.0.1:' + process.env.DAPR_HTTP_PORT
createServer((request, response) => {
  response.end('hello from ' + process.env.APP_ID)
}).listen(process.env.APP_PORT, '127.0.0.1')
const [target] = process.argv.slice(2)
if (target !== undefined) {
  for (;;) {
    const answer = await fetch(dapr + '/hello', { headers: { 'dapr-app-id': target } }).catch(() => undefined)
    if (answer?.status === 200) {
      console.log('heard ' + await answer.text())
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}`

test('applications that are run on one machine call each other by name, with nothing to set up', async () => {
  const here = await place()
  expect((await here.outrigger(['init']).ended()).code).toBe(0)
  const program = await here.write('app.mjs', app)
  const run = async (name: string, ...args: string[]) => {
    const flags = ['run', '--app-id', name, '--app-port', String(await freePort()), '--']
    return here.outrigger([...flags, process.execPath, program, ...args]).child
  }
  const first = await run('first')
  await first.line(/You're up and running/)
  const second = await run('second', 'first')
  await second.line('second | heard hello from first')
  const third = await run('third', 'second')
  await third.line('third | heard hello from second')
  // Nobody else on the network can reach what is for this machine alone.
  expect(first.output).toMatch(/the API for other sidecars is listening on 127\.0\.0\.1:/)
  for (const child of [third, second, first]) await child.end('SIGTERM')
})
