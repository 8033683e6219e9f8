// An application that has the runtime in its own process and consumes `orders` with a function, to be killed at will.
import { setTimeout as sleep } from 'node:timers/promises'
import { createRuntime } from '@outrigger/runtime'
import { modulesPath } from '../../src/index.ts'

const workMs = Number(process.env['WORK_MS'])
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const runtime = createRuntime({
  appId: 'app',
  resources: [process.env['RESOURCES']!],
  modulesPaths: [modulesPath],
})
await runtime.start()
let taken = 0
await runtime.api.publish.subscribe({ pubsubName: 'pubsub', topic: 'orders' }, async (event) => {
  const { id } = event.value()['data'] as { id: string }
  say(`got ${id}`)
  await sleep(workMs)
  taken++
  if (taken % 9 === 0) return 'RETRY'
  if (taken % 9 === 4) throw new Error('the application fails now and then')
  say(`done ${id}`)
  return 'SUCCESS'
})
say('listening')
