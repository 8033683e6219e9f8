import { json, noContent, type AppAnswer } from './request.ts'

export interface ReplyInit {
  /** Default 200. */
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
}

/** An answer that is more than a JSON value. */
export class Reply {
  readonly answer: AppAnswer

  constructor({ status = 200, headers = {}, body = '' }: ReplyInit) {
    this.answer = { status, headers, body }
  }
}

/** What a handler returned as an answer: nothing, a `Reply`, bytes, or a JSON value. */
export function answerOf(value: unknown): AppAnswer {
  if (value === undefined) return noContent
  if (value instanceof Reply) return value.answer
  if (value instanceof Uint8Array)
    return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: value }
  return json(value)
}
