/** What HTTP/2 needs by itself: a client that speaks nothing else. Servers come from `createServer`. */
export { createHttp2Client, type Http2ClientOptions } from './client.ts'
export type { Http2ServerOptions } from './server.ts'
