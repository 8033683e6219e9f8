import { cpus, loadavg } from 'node:os'
import type { Clock, Timer } from '@outrigger/spec'
import type { Node } from './node.ts'
import type { SystemRule } from './rules.ts'

/** What the machine carries. */
export interface Machine {
  /** Of the last minute. */
  load(): number
  /** Between 0 and 1. */
  cpu(): number
  close(): void
}

/** The name of a rule that is broken, or `undefined`. */
export function brokenRule(
  rules: readonly SystemRule[],
  all: Node,
  machine: Machine,
  now: number,
): string | undefined {
  for (const { metricType, triggerCount, strategy } of rules) {
    const overloaded = () => strategy !== 1 || (all.concurrency > 1 && all.concurrency > all.capacity(now))
    if (metricType === 0 && machine.load() > triggerCount && overloaded()) return 'load'
    if (metricType === 1 && all.averageMs(now) >= triggerCount) return 'average time'
    if (metricType === 2 && all.concurrency >= triggerCount) return 'concurrency'
    if (metricType === 3 && all.passed(now) >= triggerCount) return 'requests a second'
    if (metricType === 4 && machine.cpu() > triggerCount && overloaded()) return 'CPU'
  }
  return undefined
}

const everyMs = 1000

/** Looks at this machine every second, where a rule asks for it. */
export function watchMachine(rules: readonly SystemRule[], clock: Clock): Machine {
  let load = 0
  let cpu = 0
  let timer: Timer | undefined
  let before = times()
  const look = (): void => {
    load = loadavg()[0]!
    const now = times()
    const total = now.total - before.total
    if (total > 0) cpu = 1 - (now.idle - before.idle) / total
    before = now
    timer = clock.schedule(everyMs, look)
  }
  if (rules.some(({ metricType }) => metricType === 0 || metricType === 4)) look()
  return { load: () => load, cpu: () => cpu, close: () => timer?.cancel() }
}

function times(): { readonly idle: number; readonly total: number } {
  let idle = 0
  let total = 0
  for (const each of cpus()) {
    idle += each.times.idle
    total += each.times.user + each.times.nice + each.times.sys + each.times.irq + each.times.idle
  }
  return { idle, total }
}
