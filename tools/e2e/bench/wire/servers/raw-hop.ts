// Passes bytes on, with back-pressure: `plain|accept|dial PORT TARGET [CA CERT KEY]`, where `accept` and `dial` speak
// mutual TLS on their way in or out. What streaming costs when nothing is looked at.
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import * as tls from 'node:tls'

const [, , kind, port, target, ca, cert, key] = process.argv
const to = { host: '127.0.0.1', port: Number(target) }
const secure =
  kind === 'plain' ? {} : { ca: readFileSync(ca!), cert: readFileSync(cert!), key: readFileSync(key!) }

function join(from: Socket): void {
  const on = kind === 'dial' ? tls.connect({ ...to, ...secure }) : connect(to)
  carry(from, on)
  carry(on, from)
}

function carry(from: Socket, to: Socket): void {
  from.on('data', (chunk) => {
    if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => to.end())
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}

const server =
  kind === 'accept'
    ? tls.createServer({ ...secure, requestCert: true, rejectUnauthorized: true }, join)
    : createServer(join)
server.listen(Number(port), '127.0.0.1')
