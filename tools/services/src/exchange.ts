import { connect } from 'node:net'

/** Sends a text over TCP and returns all that comes back (at most 1 MiB) until the server hangs up, or until it ends with `end`. */
export function exchange(options: {
  host: string
  port: number
  send: string
  end?: string
}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: options.host, port: options.port }, () => socket.write(options.send))
    let answer = ''
    socket.setEncoding('utf8')
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer within 5 s')))
    socket.on('data', (text: string) => {
      answer += text
      if (options.end !== undefined && answer.endsWith(options.end)) socket.end()
      if (answer.length > 1 << 20) socket.destroy(new Error('the answer is too long'))
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
  })
}
