// Ships every order that was published. Knows nothing but HTTP.
import { createServer } from 'node:http'

const subscriptions = [{ pubsubname: 'pubsub', topic: 'orders', route: '/ship' }]

const server = createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/dapr/subscribe') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(subscriptions))
  } else if (request.method === 'POST' && request.url === '/ship') {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const event = JSON.parse(Buffer.concat(chunks).toString())
    const { number, item, quantity } = event.data
    console.log(`order ${number} shipped: ${quantity} x ${item}`)
    response.writeHead(200).end()
  } else {
    response.writeHead(404).end()
  }
})
server.listen(Number(process.env.APP_PORT), '127.0.0.1', () => console.log('ready to ship'))
