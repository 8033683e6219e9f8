import { bool, fields, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createWasm } from './wasm.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.wasm',
  title: 'WebAssembly',
  description: 'Leads requests through a WebAssembly module that speaks the http-wasm handler ABI.',
  versions: {
    v1: {
      metadata: fields({
        url: string({
          description:
            'Where the module is: `file://`, with a path that counts from the folder of the process unless it begins with a slash, `http://` or `https://`.',
          required: true,
          example: 'file://router.wasm',
        }),
        guestConfig: string({
          description: 'Handed to the module as it is.',
          example: '{"environment":"production"}',
        }),
        strictSandbox: bool({
          description:
            'The module gets a clock that only counts its own questions, and the same random numbers each time, so that it can measure nothing.',
          default: 'false',
        }),
      }),
      capabilities: [],
      create: createWasm,
    },
  },
})
