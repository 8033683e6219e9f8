import type { MetricFamily } from '@outrigger/host'
import type { Resiliency, TargetUse } from '../resiliency/provider.ts'

type Samples = { labels: Readonly<Record<string, string>>; value: number }[]

const states = ['closed', 'half-open', 'open', 'unknown'] as const

/** What policies were asked for and did; names and labels are Dapr's. */
export function resiliencyMetrics(resiliency: Resiliency, appId: string, namespace: string): MetricFamily[] {
  const { names } = resiliency
  const name = names.at(-1) ?? ''
  const common = { app_id: appId, name, namespace }
  const counts: Samples = []
  const activations: Samples = []
  const breakers: Samples = []
  for (const use of resiliency.uses()) {
    const of = (policy: string, status: string) => ({
      ...common,
      policy,
      flow_direction: use.direction,
      target: use.label,
      status,
    })
    for (const [policy, activated] of activationsOf(use)) {
      counts.push({ labels: of(policy, ''), value: use.executions })
      activations.push({ labels: of(policy, ''), value: activated })
    }
    if (!use.hasBreaker) continue
    for (const state of states) {
      const among = use.states.filter((each) => each === state).length
      breakers.push({ labels: of('circuitbreaker', state), value: among })
      const changes = state === 'unknown' ? 0 : use.changes[state]
      if (changes > 0) activations.push({ labels: of('circuitbreaker', state), value: changes })
    }
    counts.push({ labels: of('circuitbreaker', use.states.at(-1) ?? 'closed'), value: use.executions })
  }
  return [
    {
      name: 'dapr_resiliency_loaded',
      type: 'counter',
      help: 'Resiliency resources that were loaded',
      samples: names.map((loaded) => ({ labels: { ...common, name: loaded }, value: 1 })),
    },
    {
      name: 'dapr_resiliency_count',
      type: 'counter',
      help: 'Calls that a policy applied to',
      samples: counts,
    },
    {
      name: 'dapr_resiliency_activations_total',
      type: 'counter',
      help: 'Timeouts that ran out, repetitions, and changes of state of circuit breakers',
      samples: activations,
    },
    {
      name: 'dapr_resiliency_cb_state',
      type: 'gauge',
      help: 'Circuit breakers of a target that are in a state',
      samples: breakers,
    },
  ]
}

function activationsOf({ timeout, retry, activations }: TargetUse): [policy: string, activated: number][] {
  return [
    ...(timeout ? [['timeout', activations.timeouts] as [string, number]] : []),
    ...(retry ? [['retry', activations.retries] as [string, number]] : []),
  ]
}
