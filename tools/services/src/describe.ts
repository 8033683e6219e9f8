import { afterAll, beforeAll, describe, test } from 'vitest'
import { missingReason, serviceAvailable, type ServiceName } from './registry.ts'
import { startService, type Service, type ServiceOptions } from './start.ts'

/**
 * A `describe` that has a running server: `get()` returns it inside of hooks and tests. Where the server
 * is not installed the tests are skipped and the name says why; with OUTRIGGER_REQUIRE_SERVICES=1 that is
 * a failure instead.
 */
export function describeWithService(
  service: ServiceName,
  name: string,
  body: (get: () => Service) => void,
  options: ServiceOptions = {},
): void {
  let running: Service | undefined
  const get = () => {
    if (!running) throw new Error(`${service} runs only inside of hooks and tests`)
    return running
  }
  if (!serviceAvailable(service)) {
    const reason = missingReason(service)
    if (process.env['OUTRIGGER_REQUIRE_SERVICES'] === '1') {
      describe(name, () => {
        test(`needs ${service}`, () => {
          throw new Error(`${reason}; OUTRIGGER_REQUIRE_SERVICES=1 forbids to skip`)
        })
      })
    } else {
      describe.skip(`${name} [skipped: ${reason}]`, () => body(get))
    }
    return
  }
  describe(name, () => {
    beforeAll(async () => {
      running = await startService(service, options)
    }, 180_000)
    afterAll(async () => {
      await running?.stop()
    }, 60_000)
    body(get)
  })
}
