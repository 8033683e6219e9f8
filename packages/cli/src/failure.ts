/** Something that the user can mend: shown without a stack, as it is. */
export class CliFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliFailure'
  }
}
