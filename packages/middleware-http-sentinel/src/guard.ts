import { Breaker } from './breaker.ts'
import { FlowControl } from './flow.ts'
import { Node } from './node.ts'
import type { BreakerRule, FlowRule, IsolationRule, SystemRule } from './rules.ts'
import { brokenRule, type Machine } from './system.ts'

export interface Rules {
  readonly flow: readonly FlowRule[]
  readonly breakers: readonly BreakerRule[]
  readonly isolation: readonly IsolationRule[]
  readonly system: readonly SystemRule[]
}

interface Resource {
  readonly node: Node
  readonly flow: readonly FlowControl[]
  readonly breakers: readonly Breaker[]
  /** Most requests under way. */
  readonly isolation: number
}

/** A request that may go on, after a while. */
export interface Entry {
  readonly waitMs: number
  exit(now: number, failed: boolean): void
}

/** All rules at work, in the order of Sentinel. Nothing is kept of resources that no rule names. */
export class Guard {
  readonly #resources = new Map<string, Resource>()
  readonly #all = new Node()
  readonly #system: readonly SystemRule[]
  readonly #machine: Machine

  constructor({ flow, breakers, isolation, system }: Rules, machine: Machine, memoryBytes: () => number) {
    this.#system = system
    this.#machine = machine
    const names = new Set([...flow, ...breakers, ...isolation].map(({ resource }) => resource))
    const nodes = new Map<string, Node>()
    for (const name of [...names, ...flow.map(({ refResource }) => refResource)]) nodes.set(name, new Node())
    for (const [name, node] of nodes) {
      const own = <R extends { readonly resource: string }>(rules: readonly R[]) =>
        rules.filter(({ resource }) => resource === name)
      this.#resources.set(name, {
        node,
        flow: own(flow).map((rule) => {
          const counted = rule.relationStrategy === 1 ? nodes.get(rule.refResource)! : node
          return new FlowControl(rule, counted, memoryBytes)
        }),
        breakers: own(breakers).map((rule) => new Breaker(rule)),
        isolation: Math.min(Number.POSITIVE_INFINITY, ...own(isolation).map(({ threshold }) => threshold)),
      })
    }
  }

  /** @returns an entry, or why there is none */
  enter(name: string, now: number): Entry | string {
    const broken = brokenRule(this.#system, this.#all, this.#machine, now)
    if (broken !== undefined) return `a system rule (${broken})`
    const resource = this.#resources.get(name)
    let waitMs = 0
    if (resource !== undefined) {
      for (const control of resource.flow) {
        const wait = control.check(now)
        if (wait === undefined) return 'a flow rule'
        waitMs = Math.max(waitMs, wait)
      }
      if (resource.node.concurrency + 1 > resource.isolation) return 'an isolation rule'
      for (const [index, breaker] of resource.breakers.entries()) {
        if (breaker.check(now)) continue
        for (const tried of resource.breakers.slice(0, index)) tried.notTried()
        return 'a circuit breaker'
      }
      for (const control of resource.flow) control.passed(now)
    }
    resource?.node.pass(now)
    this.#all.pass(now)
    const began = now + waitMs
    return {
      waitMs,
      exit: (end, failed) => {
        const ms = Math.max(0, end - began)
        resource?.node.complete(end, ms)
        this.#all.complete(end, ms)
        for (const breaker of resource?.breakers ?? []) breaker.complete(end, ms, failed)
      },
    }
  }
}
