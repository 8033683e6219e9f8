// Takes orders, counts them in state and publishes each one. Knows nothing but HTTP.
import { createServer } from 'node:http'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`
const counterKey = 'orders-taken'

/** Adds one to the counter. The ETag makes it safe: whoever comes second reads again. */
async function nextNumber() {
  for (;;) {
    const current = await fetch(`${sidecar}/v1.0/state/statestore/${counterKey}`)
    const number = (current.status === 200 ? await current.json() : 0) + 1
    const saved = await fetch(`${sidecar}/v1.0/state/statestore`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        {
          key: counterKey,
          value: number,
          etag: current.headers.get('etag') ?? undefined,
          options: { concurrency: 'first-write' },
        },
      ]),
    })
    if (saved.status === 204) return number
    if (saved.status !== 409) throw new Error(`saving the counter: ${saved.status} ${await saved.text()}`)
  }
}

async function publish(order) {
  const answer = await fetch(`${sidecar}/v1.0/publish/pubsub/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })
  if (answer.status !== 204) throw new Error(`publishing: ${answer.status} ${await answer.text()}`)
}

async function takeOrder(request, response) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { item, quantity } = JSON.parse(Buffer.concat(chunks).toString())
  const order = { number: await nextNumber(), item, quantity }
  await publish(order)
  console.log(`order ${order.number} taken: ${quantity} x ${item}`)
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(order))
}

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/orders') {
    takeOrder(request, response).catch((error) => response.writeHead(500).end(String(error)))
  } else {
    response.writeHead(404).end()
  }
})
server.listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('orders are welcome'))
