import { request as send, type IncomingHttpHeaders } from 'node:http'
import type { Json } from './json.ts'

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; throws when it is none. */
  readonly json: Json
}

/** Sends a request as it is written: no path is tidied, no field added but host and length. Objects go as JSON. */
export function call(
  port: number,
  method: string,
  path: string,
  body?: string | Uint8Array | object,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<HttpAnswer> {
  const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const bytes = raw ? body : JSON.stringify(body)
  const fields = {
    ...(!raw && { 'content-type': 'application/json' }),
    ...(bytes !== undefined && { 'content-length': String(Buffer.byteLength(bytes)) }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    const request = send(
      { host: '127.0.0.1', port, method, path, headers: fields, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text,
            get json() {
              return JSON.parse(text)
            },
          })
        })
      },
    )
    request.on('error', reject)
    request.end(bytes)
  })
}
