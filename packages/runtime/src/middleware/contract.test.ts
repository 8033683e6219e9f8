import type { MiddlewareBody, MiddlewareFields, MiddlewareRequest, MiddlewareResponse } from '@outrigger/spec'
import type { Body, ClientResponse, Fields, ServerRequest } from '@outrigger/wire'
import { expectTypeOf, test } from 'vitest'
import type { PipelineResponse } from './response.ts'

test("wire's objects are what the contract says of them", () => {
  expectTypeOf<Fields>().toExtend<MiddlewareFields>()
  expectTypeOf<Body>().toExtend<MiddlewareBody>()
  // What a middleware can do besides belongs to the pipeline.
  expectTypeOf<ServerRequest>().toExtend<Omit<MiddlewareRequest, 'replaceBody' | 'respond'>>()
  expectTypeOf<ClientResponse>().toExtend<Omit<MiddlewareResponse, 'replaceBody'>>()
  expectTypeOf<PipelineResponse>().toExtend<MiddlewareResponse>()
})
