import type { BindingResponse, Logger, Metadata, OperationOptions, Random } from '@outrigger/spec'
import { isComponentError, type Binding } from '@outrigger/spec'
import type { Live } from '../../components/live.ts'
import { BindingProblem, invokeBinding } from '../../bindings/output.ts'
import { traced } from '../../telemetry/trace-context.ts'
import { ApiError, failureText } from '../api-error.ts'

export interface InvokeBindingRequest {
  readonly name: string
  readonly operation: string
  readonly data: Uint8Array
  readonly metadata: Metadata
}

/** The output side of bindings, for every face of the runtime. */
export class BindingsHandler {
  readonly #bindings: ReadonlyMap<string, Live<Binding>>
  readonly #logger: Logger
  readonly #random: Random
  readonly #usual: string

  /** `usual`: the operation that is meant where none is named; only with the early forms. */
  constructor(
    bindings: ReadonlyMap<string, Live<Binding>>,
    logger: Logger,
    random: Random,
    usual: string = '',
  ) {
    this.#usual = usual
    this.#bindings = bindings
    this.#logger = logger
    this.#random = random
  }

  async invoke(request: InvokeBindingRequest, options: OperationOptions): Promise<BindingResponse> {
    const { name, data, metadata } = request
    const operation = request.operation || this.#usual
    try {
      const trace = traced(options, this.#random)
      const withTrace: Record<string, string> = { ...metadata }
      if (trace.traceparent !== undefined) withTrace['traceparent'] = trace.traceparent
      if (trace.tracestate !== undefined) withTrace['tracestate'] = trace.tracestate
      if (trace.baggage !== undefined) withTrace['baggage'] = trace.baggage
      return await invokeBinding(this.#bindings, name, { operation, data, metadata: withTrace }, trace)
    } catch (error) {
      const known = error instanceof BindingProblem && error.kind !== 'invoke-failed'
      const cause = error instanceof BindingProblem ? error.cause : error
      const text = known ? error.message : failureText(cause, this.#logger, `binding ${name} failed`)
      throw new ApiError('INVOKE_OUTPUT_BINDING', `error invoking output binding ${name}: ${text}`, {
        cause,
        metadata: isComponentError(cause) ? cause.metadata : undefined,
      })
    }
  }
}
