import { fields, string } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createRouterChecker } from './router-checker.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.routerchecker',
  title: 'Router checker',
  description: 'Lets only requests through whose path and query fit a pattern.',
  versions: {
    v1: {
      metadata: fields({
        rule: string({
          description:
            'Regular expression (RE2) that path and query of a request, as they were sent, must fit; anywhere, unless it has ^ and $.',
          required: true,
          example: '^[A-Za-z0-9/._-]+$',
        }),
      }),
      capabilities: [],
      create: createRouterChecker,
    },
  },
})
