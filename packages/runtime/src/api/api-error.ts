import { isComponentError, type Logger, type Metadata } from '@outrigger/spec'
import { errorTable, type ErrorId, type ErrorRow } from './errors.ts'

/** What an error is about, for the ErrorInfo and ResourceInfo details. */
export interface ErrorSubject {
  readonly resourceType?: string
  readonly resourceName?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly fieldViolation?: { readonly field: string; readonly description: string }
}

/** An error of an operation, as the caller sees it. Its id is a row of the one table in `errors.ts`. */
export class ApiError extends Error {
  readonly id: ErrorId
  readonly subject: ErrorSubject | undefined
  /** Goes to the caller beside the error. */
  readonly metadata: Metadata | undefined

  constructor(
    id: ErrorId,
    message: string,
    options: { cause?: unknown; subject?: ErrorSubject; metadata?: Metadata | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ApiError'
    this.id = id
    this.subject = options.subject
    this.metadata = options.metadata
  }

  get row(): ErrorRow {
    return errorTable[this.id]
  }
}

/** The text of a component's failure that a caller may see. What is not a ComponentError may hold anything and stays in the log. */
export function failureText(error: unknown, logger: Logger, what: string): string {
  if (isComponentError(error)) {
    if (error.cause !== undefined) logger.debug(what, { error })
    return error.message
  }
  logger.error(what, { error })
  return 'unexpected error in the component; the log of the sidecar has it'
}

/** `details` of the JSON body, in the JSON form of google.rpc. */
export function errorDetails(error: ApiError): readonly Record<string, unknown>[] | undefined {
  const row = error.row
  if (row.rich !== true) return undefined
  const { subject } = error
  const details: Record<string, unknown>[] = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      domain: 'dapr.io',
      ...(subject?.metadata === undefined ? {} : { metadata: subject.metadata }),
      reason: row.reason ?? row.code,
    },
  ]
  if (subject?.resourceName !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.ResourceInfo',
      resource_name: subject.resourceName,
      resource_type: subject.resourceType,
    })
  }
  if (subject?.fieldViolation !== undefined) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      field_violations: [subject.fieldViolation],
    })
  }
  return details
}
