import type { AppResponse } from '../../app/channel.ts'

/** An answer whose status stands for a failure, on its way through policies; the caller gets it as an answer. */
export class StatusFailure extends Error {
  readonly answer: AppResponse

  constructor(answer: AppResponse) {
    super(`the application answered with status ${answer.status}`)
    this.name = 'StatusFailure'
    this.answer = answer
  }
}

/** Which statuses of HTTP policies take for a failure. */
export function isFailure(status: number): boolean {
  return status < 200 || status > 399
}
