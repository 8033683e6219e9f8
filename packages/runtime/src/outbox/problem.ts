/** Why the events of a transaction could not be put into the outbox: nothing was saved. Its message is for the caller. */
export class OutboxProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'OutboxProblem'
  }
}
