import type { Handler } from '@outrigger/wire'

/** A handler that is made when the first request comes: what it needs is loaded by nobody else. */
export function lazily(load: () => Promise<Handler>): Handler {
  let handler: Promise<Handler> | undefined
  let ready: Handler | undefined
  return (request, response) => {
    if (ready !== undefined) return ready(request, response)
    handler ??= load()
    return handler.then((loaded) => {
      ready = loaded
      return loaded(request, response)
    })
  }
}
