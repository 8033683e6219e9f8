import { sleep } from '@outrigger/kit'
import type { ComponentContext, HttpMiddleware } from '@outrigger/spec'
import { Guard } from './guard.ts'
import { breakerRules, flowRules, isolationRules, systemRules } from './rules.ts'
import { watchMachine } from './system.ts'

export interface Settings {
  readonly appName: string | undefined
  readonly logDir: string | undefined
  readonly flowRules: unknown
  readonly circuitBreakerRules: unknown
  readonly hotSpotParamRules: unknown
  readonly isolationRules: unknown
  readonly systemRules: unknown
}

export async function createSentinel(context: ComponentContext<Settings>): Promise<HttpMiddleware> {
  const { metadata, clock, logger } = context
  if (metadata.hotSpotParamRules !== undefined)
    logger.warn(
      'hotSpotParamRules have no effect, as in Dapr: requests have no parameters in the sense of Sentinel',
    )
  const system = systemRules(metadata.systemRules, logger)
  const machine = watchMachine(system, clock)
  const rules = {
    flow: flowRules(metadata.flowRules, logger),
    breakers: breakerRules(metadata.circuitBreakerRules, logger),
    isolation: isolationRules(metadata.isolationRules, logger),
    system,
  }
  const guard = new Guard(rules, machine, () => process.memoryUsage.rss())

  return {
    capabilities: new Set<never>(),
    async handle(request, next) {
      const resource = `${request.method}:${request.path}`
      const entry = guard.enter(resource, clock.monotonic())
      if (typeof entry === 'string') {
        logger.debug(`a request is refused by ${entry}`, { resource, app: metadata.appName })
        return request.respond(429, { 'content-type': 'text/plain; charset=utf-8' }, 'Too Many Requests')
      }
      let failed = true
      try {
        if (entry.waitMs > 0) await sleep(clock, entry.waitMs, request.signal)
        const response = await next(request)
        failed = response.status >= 500
        return response
      } finally {
        entry.exit(clock.monotonic(), failed)
      }
    },
    close() {
      machine.close()
      return Promise.resolve()
    },
  }
}
