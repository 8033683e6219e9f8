import type { BindingData } from '@outrigger/spec'
import { ApiError } from '../api-error.ts'
import { optionsOf, sendMetadata, type DaprHandlers } from '../grpc-call.ts'
import type { BindingsHandler } from './handler.ts'

/** The binding method of the gRPC API. `maxBytes`: of an answer, which is one message. */
export function bindingsMethods(
  handler: BindingsHandler,
  maxBytes: number,
): Required<Pick<DaprHandlers, 'invokeBinding'>> {
  return {
    async invokeBinding({ name, operation, data, metadata }, call) {
      const response = await handler.invoke({ name, operation, data, metadata }, optionsOf(call))
      sendMetadata(call, response.metadata)
      return { data: await whole(name, response.data, maxBytes), metadata: { ...response.metadata } }
    },
  }
}

async function whole(name: string, data: BindingData | undefined, maxBytes: number): Promise<Uint8Array> {
  if (data === undefined) return new Uint8Array(0)
  if (data instanceof Uint8Array) return data
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of data) {
    size += chunk.length
    if (size > maxBytes) {
      throw new ApiError(
        'INVOKE_OUTPUT_BINDING',
        `error invoking output binding ${name}: the answer is larger than ${maxBytes} bytes; raise the limit with --max-body-size, or use the HTTP API, which streams`,
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
