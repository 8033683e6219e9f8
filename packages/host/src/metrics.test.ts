import { expect, test } from 'vitest'
import { renderMetrics } from './metrics.ts'

test('metrics are written as Prometheus reads them', () => {
  const text = renderMetrics([
    {
      name: 'a_total',
      type: 'counter',
      help: 'Things\nthat \\ happened',
      samples: [
        { labels: {}, value: 3 },
        { labels: { who: 'he said "no"\\\n', why: '' }, value: 0.5 },
      ],
    },
    { name: 'b', type: 'gauge', help: 'None', samples: [] },
  ])
  expect(text).toBe(
    '# HELP a_total Things\\nthat \\\\ happened\n# TYPE a_total counter\na_total 3\na_total{who="he said \\"no\\"\\\\\\n",why=""} 0.5\n',
  )
})
