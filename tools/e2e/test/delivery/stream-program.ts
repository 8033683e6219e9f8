// An application that subscribes to `orders` by stream, to be killed at will. It opens its stream anew when that ends, and
// now and then breaks it off itself, before or after the work, one time of BREAK_EVERY.
import { setTimeout as sleep } from 'node:timers/promises'
import { Stream } from '../pubsub-grpc/stream.ts'

const port = Number(process.env['GRPC_PORT'])
const workMs = Number(process.env['WORK_MS'])
const breakEvery = Number(process.env['BREAK_EVERY'])
const say = (line: string): void => void process.stdout.write(`${line}\n`)
let taken = 0

async function subscribe(): Promise<void> {
  const stream = await Stream.open(port, { pubsubName: 'pubsub', topic: 'orders' })
  say(stream.subscribed ? 'subscribed' : 'refused')
  let broken = false
  const breakOff = (): void => {
    broken = true
    say('broken off')
    stream.close()
  }
  // One after the other, so that what was answered before a break is answered.
  let last = Promise.resolve()
  const work = async (id: string, message: string): Promise<void> => {
    if (broken) return
    await sleep(workMs)
    const turn = ++taken % (2 * breakEvery)
    if (turn === breakEvery) return breakOff()
    say(`done ${message}`)
    if (turn === 0) return breakOff()
    stream.answer(id)
  }
  stream.onEvent = ({ id, data }) => {
    const message = (JSON.parse(Buffer.from(data).toString()) as { id: string }).id
    say(`got ${message}`)
    last = last.then(() => work(id, message))
  }
  while (!broken && stream.ended === undefined) await sleep(5)
  stream.close()
}

say('listening')
for (;;) {
  await subscribe().catch(() => {})
  await sleep(20)
}
