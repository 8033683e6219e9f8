// The application behind the hops: small answers to everything, and as many MiB as `/stream/N` asks for: `PORT`.
import { createServer } from '@outrigger/wire'
import { fields, value } from '../../servers/http1-answers.ts'

const piece = Buffer.alloc(64 * 1024, 'piece')
const piecesInMiB = 16

const server = createServer({}, async (request, response) => {
  if (!request.path.startsWith('/stream/')) {
    if (request.method !== 'GET') await request.body.bytes()
    return response.send(200, fields, value)
  }
  const mebibytes = Number(request.path.slice('/stream/'.length))
  const writer = response.start(200, ['content-length', String(mebibytes * 1024 * 1024)])
  for (let count = mebibytes * piecesInMiB; count > 0; count--) {
    const waiting = writer.write(piece)
    if (waiting !== undefined) await waiting
  }
  writer.end()
})
await server.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
