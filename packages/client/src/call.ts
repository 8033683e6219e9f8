import type { Metadata, OperationOptions } from '@outrigger/spec'

/** What every call may have, as its last argument. */
export interface CallOptions extends OperationOptions {
  /** For the component, as it documents it. */
  readonly metadata?: Metadata | undefined
}

export const noMetadata: Metadata = Object.freeze({})
export const noOptions: CallOptions = Object.freeze({})
