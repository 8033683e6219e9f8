import { bool, fields, int, list, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createOpa } from './opa.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.opa',
  title: 'Open Policy Agent',
  description: 'Asks a policy in Rego about each request.',
  versions: {
    v1: {
      metadata: fields({
        rego: string({
          description: 'The policy: a module of the package `http` with the rule `allow`.',
          required: true,
          example: 'package http\n\ndefault allow = true',
        }),
        defaultStatus: int({
          description:
            'The status of an answer to a request that is not allowed, where the policy names none.',
          default: '403',
          minimum: 100,
          maximum: 599,
        }),
        includedHeaders: list({
          description: 'Names of the header fields that the policy sees.',
          example: 'x-my-header, authorization',
        }),
        readBody: bool({
          description: 'Whether the policy sees the body, which is taken whole then.',
          default: 'false',
        }),
      }),
      capabilities: [],
      create: createOpa,
    },
  },
})
