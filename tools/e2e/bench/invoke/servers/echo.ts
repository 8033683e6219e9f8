// The application behind the sidecars: answers each request with its body: `PORT`.
import { createServer } from '@outrigger/wire'

const fields = ['content-type', 'application/octet-stream']
const server = createServer({}, async (request, response) => {
  response.send(200, fields, await request.body.bytes())
})
await server.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
