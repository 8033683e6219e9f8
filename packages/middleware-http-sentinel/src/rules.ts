import { ComponentError, type Logger } from '@outrigger/spec'

export interface FlowRule {
  readonly resource: string
  readonly threshold: number
  /** 0 as it is, 1 warming up, 2 by memory. */
  readonly tokenCalculateStrategy: number
  /** 0 refuses, 1 has requests wait for each other. */
  readonly controlBehavior: number
  /** 0 counts the resource itself, 1 another. */
  readonly relationStrategy: number
  readonly refResource: string
  readonly maxQueueingTimeMs: number
  readonly warmUpPeriodSec: number
  readonly warmUpColdFactor: number
  readonly statIntervalInMs: number
  readonly lowMemUsageThreshold: number
  readonly highMemUsageThreshold: number
  readonly memLowWaterMarkBytes: number
  readonly memHighWaterMarkBytes: number
}

export interface BreakerRule {
  readonly resource: string
  /** 0 ratio of slow requests, 1 ratio of errors, 2 number of errors. */
  readonly strategy: number
  readonly retryTimeoutMs: number
  readonly minRequestAmount: number
  readonly statIntervalMs: number
  readonly statSlidingWindowBucketCount: number
  readonly maxAllowedRtMs: number
  readonly threshold: number
  readonly probeNum: number
}

export interface IsolationRule {
  readonly resource: string
  readonly metricType: number
  readonly threshold: number
}

export interface SystemRule {
  /** 0 load, 1 average time, 2 concurrency, 3 requests a second, 4 CPU. */
  readonly metricType: number
  readonly triggerCount: number
  /** 1: load and CPU count only while more are under way than can be carried. */
  readonly strategy: number
}

/** What each key is without a value: a number or a text. */
type Shape<R> = { readonly [K in keyof R]: R[K] }

const flow: Shape<FlowRule> = {
  resource: '',
  threshold: 0,
  tokenCalculateStrategy: 0,
  controlBehavior: 0,
  relationStrategy: 0,
  refResource: '',
  maxQueueingTimeMs: 0,
  warmUpPeriodSec: 0,
  warmUpColdFactor: 0,
  statIntervalInMs: 0,
  lowMemUsageThreshold: 0,
  highMemUsageThreshold: 0,
  memLowWaterMarkBytes: 0,
  memHighWaterMarkBytes: 0,
}
const breaker: Shape<BreakerRule> = {
  resource: '',
  strategy: 0,
  retryTimeoutMs: 0,
  minRequestAmount: 0,
  statIntervalMs: 0,
  statSlidingWindowBucketCount: 0,
  maxAllowedRtMs: 0,
  threshold: 0,
  probeNum: 0,
}
const isolation: Shape<IsolationRule> = { resource: '', metricType: 0, threshold: 0 }
const system: Shape<SystemRule> = { metricType: 0, triggerCount: 0, strategy: -1 }

/** More than anybody writes. */
const mostRules = 1000
/** What stands for a rule in the list: it does not name what the rule is about. */
const signed: ReadonlySet<string> = new Set(['strategy'])

function read<R extends object>(
  field: string,
  value: unknown,
  shape: R,
  logger: Logger,
  check: Check<R>,
): readonly R[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw invalid(`${field} must be a list of rules in JSON`)
  if (value.length > mostRules) throw invalid(`${field} has more than ${mostRules} rules`)
  return value.map((item: unknown, index) => {
    const where = `${field}[${index}]`
    if (typeof item !== 'object' || item === null || Array.isArray(item))
      throw invalid(`${where} must be a rule`)
    const rule = { ...shape } as Record<string, unknown>
    const names = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]))
    for (const [key, given] of Object.entries(item)) {
      const name = names.get(key.toLowerCase())
      if (name === undefined) {
        if (key.toLowerCase() !== 'id') logger.warn(`${where}.${key} is not known and has no effect`)
        continue
      }
      rule[name] = valueOf(`${where}.${name}`, name, given, (shape as Record<string, unknown>)[name])
    }
    const problem = check(rule as R)
    if (problem !== undefined) throw invalid(`${where}${problem}`)
    return rule as R
  })
}

function valueOf(where: string, name: string, given: unknown, without: unknown): unknown {
  if (typeof without === 'string') {
    if (typeof given === 'string') return given
    throw invalid(`${where} must be a text`)
  }
  if (typeof given !== 'number' || !Number.isFinite(given)) throw invalid(`${where} must be a number`)
  if (given < 0 && !signed.has(name)) throw invalid(`${where} must not be below zero`)
  return given
}

/** What is wrong with a rule, after its name. */
type Check<R> = (rule: R) => string | undefined

const within = (value: number, most: number) => Number.isInteger(value) && value >= 0 && value <= most

export function flowRules(value: unknown, logger: Logger): readonly FlowRule[] {
  return read('flowRules', value, flow, logger, (rule) => {
    if (rule.resource === '') return ' needs a resource'
    if (!within(rule.tokenCalculateStrategy, 2)) return '.tokenCalculateStrategy must be 0, 1 or 2'
    if (!within(rule.controlBehavior, 1)) return '.controlBehavior must be 0 or 1'
    if (!within(rule.relationStrategy, 1)) return '.relationStrategy must be 0 or 1'
    if (rule.relationStrategy === 1 && rule.refResource === '') return ' needs a refResource'
    if (rule.tokenCalculateStrategy === 1) {
      if (rule.warmUpPeriodSec === 0) return ' needs a warmUpPeriodSec'
      if (rule.warmUpColdFactor === 1) return '.warmUpColdFactor must be above 1'
      if (rule.threshold === 0) return ' needs a threshold'
    }
    if (rule.tokenCalculateStrategy === 2) {
      if (rule.highMemUsageThreshold === 0 || rule.lowMemUsageThreshold <= rule.highMemUsageThreshold)
        return '.lowMemUsageThreshold must be above highMemUsageThreshold, and that above 0'
      if (rule.memLowWaterMarkBytes === 0 || rule.memHighWaterMarkBytes <= rule.memLowWaterMarkBytes)
        return '.memHighWaterMarkBytes must be above memLowWaterMarkBytes, and that above 0'
    }
    return undefined
  })
}

export function breakerRules(value: unknown, logger: Logger): readonly BreakerRule[] {
  return read('circuitBreakerRules', value, breaker, logger, (rule) => {
    if (rule.resource === '') return ' needs a resource'
    if (!within(rule.strategy, 2)) return '.strategy must be 0, 1 or 2'
    if (rule.statIntervalMs === 0) return ' needs a statIntervalMs'
    if (rule.retryTimeoutMs === 0) return ' needs a retryTimeoutMs'
    if (rule.strategy < 2 && rule.threshold > 1) return '.threshold is a ratio and must not be above 1'
    return undefined
  })
}

export function isolationRules(value: unknown, logger: Logger): readonly IsolationRule[] {
  return read('isolationRules', value, isolation, logger, (rule) => {
    if (rule.resource === '') return ' needs a resource'
    if (rule.metricType !== 0) return '.metricType must be 0'
    return rule.threshold === 0 ? ' needs a threshold' : undefined
  })
}

export function systemRules(value: unknown, logger: Logger): readonly SystemRule[] {
  return read('systemRules', value, system, logger, (rule) => {
    if (!within(rule.metricType, 4)) return '.metricType must be 0, 1, 2, 3 or 4'
    if (rule.metricType === 4 && rule.triggerCount > 1)
      return '.triggerCount is a ratio and must not be above 1'
    return undefined
  })
}

export function invalid(message: string): ComponentError {
  return new ComponentError('INVALID_METADATA', message)
}
