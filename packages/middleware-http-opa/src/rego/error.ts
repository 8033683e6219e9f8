/** Where something is in a policy, counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** What is wrong with a policy, or with what it computed. */
export class RegoError extends Error {
  readonly place: Place | undefined

  constructor(message: string, place?: Place) {
    super(place === undefined ? message : `line ${place.line}, column ${place.column}: ${message}`)
    this.place = place
  }
}
