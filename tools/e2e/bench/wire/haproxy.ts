import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Contender } from '../harness/process.ts'
import type { Certificates } from './certificates.ts'

/** One haproxy process, on one thread as Node.js is, that passes on from `bind` to `server`. */
function startOne(folder: string, name: string, bind: string, server: string): Promise<Contender> {
  return Contender.listening('haproxy', (port) => {
    const file = join(folder, `${name}.cfg`)
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 1000
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
  timeout http-keep-alive 75s
  option http-keep-alive
  http-reuse always
listen hop
  bind 127.0.0.1:${port} ${bind}
  server next 127.0.0.1:${server}
`,
    )
    return ['-db', '-q', '-f', file]
  })
}

/**
 * Two processes with HTTP/2 between, which costs haproxy half of what HTTP/1.1 does; with certificates over mutual
 * TLS. With `h2c` clients and the application speak HTTP/2 as well.
 */
export async function startHaproxy(
  folder: string,
  files: Certificates | undefined,
  application: number,
  h2c = false,
): Promise<readonly [first: Contender, second: Contender]> {
  const outside = h2c ? ' proto h2' : ''
  const secured = files && `ssl crt ${files.both} ca-file ${files.ca} verify required alpn h2`
  const second = await startOne(folder, 'second', secured ?? 'proto h2', `${application}${outside}`)
  const between = secured === undefined ? 'proto h2' : `${secured} verifyhost localhost`
  const first = await startOne(folder, 'first', outside, `${second.port} ${between}`)
  return [first, second]
}
