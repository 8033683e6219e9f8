import type { Socket } from 'node:net'

const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Whether a request on this connection is being answered. node keeps that to itself, but in plain sight. */
export function isAnswering(socket: Socket): boolean {
  return (socket as { _httpMessage?: object | null })._httpMessage != null
}

/** Answers what could not be parsed, or came too slowly, and closes its connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Behind a request that is still being answered there is no place for another answer.
  if (!socket.writable || error.code === 'ECONNRESET' || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const status = answers[error.code ?? ''] ?? '400 Bad Request'
  // end, not destroy: a reset could overtake the answer.
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () =>
    socket.destroySoon(),
  )
}
