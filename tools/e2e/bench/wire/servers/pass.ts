import type { Client, ServerRequest, ServerResponse } from '@outrigger/wire'

/** A body up to this size is passed on in one piece. */
const small = 64 * 1024

/** Passes a request on to `origin` and the answer back, large bodies piece by piece. */
export async function pass(
  client: Client,
  origin: string,
  request: ServerRequest,
  response: ServerResponse,
): Promise<void> {
  const { body } = request
  const { length } = body
  if (length === undefined || length > small) body.limit = Infinity
  const answer = await client.request({
    origin,
    method: request.method,
    path: targetOf(request),
    fields: request.fields,
    signal: request.signal,
    ...(length === 0 ? {} : { body: length !== undefined && length <= small ? await body.bytes() : body }),
  })
  if (answer.body.length !== undefined && answer.body.length <= small)
    return response.send(answer.status, answer.fields, await answer.body.bytes())
  answer.body.limit = Infinity
  const writer = response.start(answer.status, answer.fields)
  for await (const chunk of answer.body) {
    const waiting = writer.write(chunk)
    if (waiting !== undefined) await waiting
  }
  writer.end(answer.trailers)
}

export function targetOf(request: ServerRequest): string {
  return request.query === '' ? request.path : `${request.path}?${request.query}`
}
