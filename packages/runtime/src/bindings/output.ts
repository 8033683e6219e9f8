import type { Binding, BindingRequest, BindingResponse, OperationOptions } from '@outrigger/spec'
import type { Live } from '../components/live.ts'
import { declaredDirections } from './direction.ts'

/**
 * Why an output binding was not invoked.
 * - `not-found` no output binding of this name
 * - `operation-missing`, `operation-unsupported` the message lists the operations
 * - `invoke-failed` the component failed, see `cause`
 */
export type BindingProblemKind = 'not-found' | 'operation-missing' | 'operation-unsupported' | 'invoke-failed'

export class BindingProblem extends Error {
  readonly kind: BindingProblemKind

  constructor(kind: BindingProblemKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BindingProblem'
    this.kind = kind
  }
}

/** Invokes an operation of an output binding. Throws a BindingProblem. */
export async function invokeBinding(
  bindings: ReadonlyMap<string, Live<Binding>>,
  name: string,
  request: BindingRequest,
  options: OperationOptions,
): Promise<BindingResponse> {
  const live = bindings.get(name)
  const binding = live?.instance
  if (live === undefined || binding?.invoke === undefined || !isOutput(live)) {
    throw new BindingProblem('not-found', `couldn't find output binding ${name}`)
  }
  const operations = binding.operations ?? []
  const supported = `supported operations: ${operations.join(' ')}`
  if (request.operation === '') {
    throw new BindingProblem(
      'operation-missing',
      `operation field is missing from the request to binding ${name}. ${supported}`,
    )
  }
  if (!operations.includes(request.operation)) {
    throw new BindingProblem(
      'operation-unsupported',
      `binding ${name} does not support operation ${request.operation}. ${supported}`,
    )
  }
  try {
    return await binding.invoke(request, options)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new BindingProblem('invoke-failed', `error invoking output binding ${name}: ${reason}`, error)
  }
}

function isOutput(live: Live<Binding>): boolean {
  return declaredDirections(live.properties)?.has('output') ?? true
}
