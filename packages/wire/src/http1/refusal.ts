/** What arrived breaks the protocol or a limit. Thrown while it is read, never seen outside. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** The status that says so to a client; after it the connection is closed. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
