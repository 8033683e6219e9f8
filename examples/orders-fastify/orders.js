// Takes orders, ships each one once it was published, and reports every five seconds.
import { createClient, isOutriggerError } from '@outrigger/client'
import { outrigger } from '@outrigger/client/fastify'
import Fastify from 'fastify'

const app = Fastify({ forceCloseConnections: true })
const client = createClient()
await app.register(outrigger)

app.post('/orders', async (request, reply) => {
  const { item, quantity } = request.body
  const number = await nextNumber()
  const order = { number, item, quantity, status: 'taken' }
  await client.state.save('statestore', `order-${number}`, order)
  await client.pubsub.publish('pubsub', 'orders', order)
  console.log(`order ${number} taken: ${quantity} x ${item}`)
  return reply.code(201).send(order)
})

app.get('/orders/:number', async (request, reply) => {
  const order = await client.state.get('statestore', `order-${request.params.number}`)
  return order ?? reply.code(404).send({ error: 'no such order' })
})

// A handler is a subscription. What it throws has the message delivered again.
app.outrigger.subscribe('pubsub', 'orders', async ({ data: order }) => {
  await client.state.save('statestore', `order-${order.number}`, { ...order, status: 'shipped' })
  console.log(`order ${order.number} shipped: ${order.quantity} x ${order.item}`)
})

app.outrigger.binding('report', async () => {
  console.log(`${(await client.state.get('statestore', 'count')) ?? 0} orders so far`)
})

/** Adds one to the counter. The ETag makes it safe: whoever comes second reads again. */
async function nextNumber() {
  for (;;) {
    const current = await client.state.getItem('statestore', 'count')
    const number = (current?.json() ?? 0) + 1
    try {
      await client.state.save('statestore', 'count', number, {
        etag: current?.etag,
        concurrency: 'first-write',
      })
      return number
    } catch (error) {
      if (!isOutriggerError(error) || error.status !== 409) throw error
    }
  }
}

const port = Number(process.env.APP_PORT ?? 3000)
await app.listen({ port, host: '127.0.0.1' })
console.log('orders are welcome')

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await app.close()
    await client.close()
  })
