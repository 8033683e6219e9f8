import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parseBool, throwIfAborted } from '@outrigger/kit'
import {
  ComponentError,
  type Binding,
  type BindingRequest,
  type BindingResponse,
  type ComponentContext,
  type Metadata,
  type OperationOptions,
} from '@outrigger/spec'
import { readBody } from './body.ts'
import { networkError, statusError } from './errors.ts'
import { createClient } from './exchange.ts'
import { requestHeaders, responseMetadata, tokenOf, type Token } from './headers.ts'
import { beginLifetime, type Lifetime } from './lifetime.ts'
import type { HttpMetadata } from './metadata.ts'
import { parseBase, targetOf } from './target.ts'
import { tlsOptions } from './tls.ts'

const operations = ['create', 'get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const
const withBody = new Set(['POST', 'PUT', 'PATCH'])

/** Creates the binding. It connects with the first request: the server need not be there yet. */
export async function createBinding(context: ComponentContext<HttpMetadata>): Promise<Binding> {
  const { clock, logger, metadata } = context
  throwIfAborted(context.initSignal)
  const base = parseBase(metadata.url)
  const token = readToken(context)
  const client = createClient(await tlsOptions(context), clock)
  const lifetimes = new Set<ReturnType<typeof beginLifetime>>()
  let closed = false

  async function execute(
    request: BindingRequest,
    options: OperationOptions,
    life: Lifetime,
  ): Promise<BindingResponse> {
    const method = methodOf(request.operation)
    const errorIfNot2XX = wantsError(request.metadata) ?? metadata.errorIfNot2XX
    const url = targetOf(base, request.metadata['path'])
    const hasBody = withBody.has(method)
    const headers = requestHeaders(
      request.metadata,
      { contentType: request.contentType, hasBody, token },
      options,
    )
    // As Dapr's client does, what we compressed ourselves is decompressed without a trace.
    const compressed = method !== 'HEAD' && !headers.has('Accept-Encoding') && !headers.has('Range')
    if (compressed) headers.set('Accept-Encoding', 'gzip')
    const toError = (error: unknown): Error => life.reason() ?? networkError(error, url)

    const response = await client
      .send({ url, method, headers, body: hasBody ? request.data : undefined, token }, life.signal)
      .catch((error: unknown) => {
        throw toError(error)
      })
    const status = response.statusCode!
    const answer = responseMetadata(status, response.statusMessage ?? '', response.rawHeaders)
    if (errorIfNot2XX && (status < 200 || status > 299)) {
      response.destroy()
      throw statusError(status, answer)
    }
    const empty = status === 204 || status === 304 || answer['Content-Length'] === '0'
    const gunzip = compressed && !empty && answer['Content-Encoding']?.toLowerCase() === 'gzip'
    if (gunzip) {
      delete answer['Content-Encoding']
      delete answer['Content-Length']
    }
    const data = await readBody(gunzip ? decompressed(response) : response, {
      maxBytes: metadata.maxResponseBodySize,
      onCut: () =>
        logger.warn('an answer was longer than maxResponseBodySize and was cut off', { url: url.origin }),
      onEnd: () => life.end(),
      toError,
    })
    return { data, contentType: response.headers['content-type'], metadata: answer }
  }

  return {
    capabilities: new Set(['output', 'streaming'] as const),
    operations,
    async invoke(request, options) {
      if (closed) throw new ComponentError('CLOSED', 'the binding was closed')
      throwIfAborted(options.signal)
      const life = beginLifetime({ clock, timeoutMs: metadata.responseTimeoutMs, signal: options.signal })
      lifetimes.add(life)
      const end = (): void => {
        life.end()
        lifetimes.delete(life)
      }
      try {
        return await execute(request, options, { ...life, end })
      } catch (error) {
        end()
        throw error
      }
    },
    close() {
      closed = true
      for (const life of lifetimes) life.cut()
      client.close()
      return Promise.resolve()
    },
  }
}

function decompressed(response: IncomingMessage): AsyncIterable<Uint8Array> {
  // Errors of either come out of the last stream.
  return pipeline(response, createGunzip(), () => {})
}

function readToken({ metadata, logger }: ComponentContext<HttpMetadata>): Token | undefined {
  const { securityToken, securityTokenHeader } = metadata
  if (securityToken !== undefined && securityTokenHeader !== undefined)
    return tokenOf(securityTokenHeader, securityToken)
  if (securityToken !== undefined)
    logger.warn('securityToken is not sent, because securityTokenHeader does not say in which header')
  return undefined
}

function methodOf(operation: string): string {
  const name = operations.find((candidate) => candidate === operation.toLowerCase())
  if (name === undefined) {
    throw new ComponentError(
      'UNSUPPORTED',
      `operation ${JSON.stringify(operation)} is not one of ${operations.join(', ')}`,
    )
  }
  return name === 'create' ? 'POST' : name.toUpperCase()
}

function wantsError(metadata: Metadata): boolean | undefined {
  const text = metadata['errorIfNot2XX']
  if (text === undefined || text === '') return undefined
  const wanted = parseBool(text)
  if (wanted === undefined) {
    throw new ComponentError(
      'INVALID_ARGUMENT',
      `errorIfNot2XX must be true or false, got ${JSON.stringify(text)}`,
    )
  }
  return wanted
}
