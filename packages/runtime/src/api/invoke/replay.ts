import { ReplayBody, replayBytes } from '../../invoke/replay.ts'
import type { AppRequest } from '../../app/channel.ts'

/**
 * The body of a request such that it can be sent again, up to a bound. One whose length nobody knows, or that is
 * larger, can be sent again only while nothing of it was read.
 */
export function replayable(body: AppRequest['body']): Uint8Array | ReplayBody | undefined {
  if (body === undefined || body instanceof Uint8Array || body instanceof ReplayBody) return body
  const { length } = body as { readonly length?: number | undefined }
  return new ReplayBody(body, length !== undefined && length <= replayBytes ? length : 0)
}

/** Whether a request can be sent again. */
export function canReplay(body: Uint8Array | ReplayBody | undefined): boolean {
  return !(body instanceof ReplayBody) || body.replayable
}
