import { metadataValue, throwIfAborted, utf8 } from '@outrigger/kit'
import {
  ComponentError,
  type Binding,
  type BindingRequest,
  type BindingResponse,
  type ComponentContext,
  type OperationOptions,
} from '@outrigger/spec'
import { contentOf } from './content.ts'
import { fileError } from './errors.ts'
import { read, remove, walk, write } from './files.ts'
import type { LocalStorageMetadata } from './metadata.ts'
import { locate, nameOf, openRoot } from './paths.ts'

const operations = ['create', 'get', 'list', 'delete'] as const

/** Opens the folder. */
export async function createBinding(context: ComponentContext<LocalStorageMetadata>): Promise<Binding> {
  throwIfAborted(context.initSignal)
  const root = await openRoot(context.baseDirectory, context.metadata.rootPath)
  let closed = false

  async function create(
    fileName: string,
    { data }: BindingRequest,
    signal?: AbortSignal,
  ): Promise<BindingResponse> {
    const path = await locate(root, fileName)
    if (path === root) throw notAFile(fileName)
    // A stream is not looked into: it comes from a caller who sends bytes and not JSON.
    await write(path, data instanceof Uint8Array ? contentOf(data) : data, context.random, signal)
    return json({ fileName: nameOf(root, path) })
  }

  async function list(fileName: string, signal?: AbortSignal): Promise<BindingResponse> {
    const paths: string[] = []
    for await (const path of walk(await locate(root, fileName))) {
      throwIfAborted(signal)
      paths.push(path)
    }
    return json(paths)
  }

  async function execute(
    request: BindingRequest,
    fileName: string,
    signal?: AbortSignal,
  ): Promise<BindingResponse> {
    switch (request.operation) {
      case 'create':
        return create(fileName === '' ? context.random.uuid() : fileName, request, signal)
      case 'get':
        return { data: await read(await locate(root, required(fileName, 'get')), fileName, signal) }
      case 'list':
        return list(fileName, signal)
      case 'delete': {
        const path = await locate(root, required(fileName, 'delete'), false)
        if (path === root) throw notAFile(fileName)
        await remove(path)
        return {}
      }
      default:
        throw new ComponentError(
          'UNSUPPORTED',
          `operation ${JSON.stringify(request.operation)} is not one of ${operations.join(', ')}`,
        )
    }
  }

  return {
    capabilities: new Set(['output', 'streaming'] as const),
    operations,
    async invoke(request: BindingRequest, { signal }: OperationOptions) {
      if (closed) throw new ComponentError('CLOSED', 'the binding was closed')
      throwIfAborted(signal)
      const fileName = metadataValue(request.metadata, 'fileName') ?? ''
      try {
        return await execute(request, fileName, signal)
      } catch (error) {
        throwIfAborted(signal)
        throw fileError(error, fileName)
      }
    },
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}

function required(fileName: string, operation: string): string {
  if (fileName !== '') return fileName
  throw new ComponentError(
    'INVALID_ARGUMENT',
    `fileName is missing in the metadata of the request; ${operation} needs it`,
  )
}

function notAFile(fileName: string): ComponentError {
  return new ComponentError(
    'INVALID_ARGUMENT',
    `fileName ${JSON.stringify(fileName)}: is the folder of the binding and not a file`,
  )
}

function json(value: unknown): BindingResponse {
  return { data: utf8(JSON.stringify(value)), contentType: 'application/json' }
}
