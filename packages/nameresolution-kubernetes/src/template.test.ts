import { expect, test } from 'vitest'
import { parseTemplate } from './template.ts'

const request = { appId: 'orders', namespace: 'shop', port: 50_002, metadata: { region: 'eu', 'a-b': 'x' } }

test.each([
  ['{{.ID}}-dapr.{{.Namespace}}.svc.cluster.local:{{.Port}}', 'orders-dapr.shop.svc.cluster.local:50002'],
  ['{{ .ID }}-{{.Data.region}}.internal:{{ .Port }}', 'orders-eu.internal:50002'],
  ['a  {{- .ID -}}  b', 'aordersb'],
  ['{{index .Data "a-b"}}{{.Data.missing}}:1', 'x:1'],
  ['fixed:80', 'fixed:80'],
  ['{{.ID}}{{.ID}}', 'ordersorders'],
])('%s', (template, address) => {
  expect(parseTemplate(template)(request)).toBe(address)
})

test.each([
  ['{{.Id}}', 'template has the action {{.Id}}, which is not known; known are {{.ID}}'],
  ['{{if .ID}}x{{end}}', 'template has the action {{if .ID}}'],
  ['{{.ID | printf "%s"}}', 'is not known'],
  ['{{.ID', 'template has {{ without }}: {{.ID'],
  ['{{}}', 'template has the action {{}}'],
  ['{{.Data}}', 'template has the action {{.Data}}'],
])('%s is refused', (template, message) => {
  expect(() => parseTemplate(template)).toThrow(message)
})
