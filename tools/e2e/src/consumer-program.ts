// An application that consumes the topic `orders`, to be killed at will. It says on stdout what it got and what it is
// done with. With HOLD=1 it never answers.
import { createServer } from 'node:http'

const hold = process.env['HOLD'] === '1'

const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (text += chunk))
  request.on('end', () => {
    if (request.url === '/dapr/subscribe') {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify([{ pubsubname: 'pubsub', topic: 'orders', route: '/orders' }]))
    } else if (request.url === '/orders') {
      const { data } = JSON.parse(text) as { data: { id: string } }
      process.stdout.write(`got ${data.id}\n`)
      if (hold) return
      // Written before the answer: what is answered is done.
      process.stdout.write(`done ${data.id}\n`)
      response.end()
    } else {
      response.statusCode = 404
      response.end()
    }
  })
})
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('listening\n'))
