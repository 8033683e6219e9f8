import { fields, float } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createRateLimit } from './rate-limit.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.ratelimit',
  title: 'Rate limit',
  description: 'Lets so many requests a second through for each address.',
  versions: {
    v1: {
      metadata: fields({
        maxRequestsPerSecond: float({
          description: 'Requests a second of each address; above zero, and may be a fraction.',
          default: '100',
          maximum: 1_000_000_000,
        }),
      }),
      capabilities: [],
      create: createRateLimit,
    },
  },
})
