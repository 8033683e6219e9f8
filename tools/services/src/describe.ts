import { afterAll, beforeAll, describe, test } from 'vitest'
import { findPython, pythonAvailable, type PythonEnvironment } from './python.ts'
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
    describeMissing(service, name, missingReason(service), () => body(get))
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

/**
 * A `describe` that has the interpreter of an environment. Where that is not installed the tests are skipped or fail
 * as above; they are always skipped on a machine that has no Python.
 */
export function describeWithPython(environment: PythonEnvironment, body: (python: string) => void): void {
  const python = findPython(environment)
  const way = 'not installed (npm run services -- --apt)'
  if (python !== undefined) describe(environment, () => body(python))
  else if (pythonAvailable())
    describeMissing('its packages', environment, `the packages of ${environment} are ${way}`, () => body(''))
  else describe.skip(`${environment} [skipped: python3 is ${way}]`, () => body(''))
}

function describeMissing(what: string, name: string, reason: string, body: () => void): void {
  if (process.env['OUTRIGGER_REQUIRE_SERVICES'] === '1') {
    describe(name, () => {
      test(`needs ${what}`, () => {
        throw new Error(`${reason}; OUTRIGGER_REQUIRE_SERVICES=1 forbids to skip`)
      })
    })
  } else {
    describe.skip(`${name} [skipped: ${reason}]`, body)
  }
}
