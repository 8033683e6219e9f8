import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '@outrigger/testkit'
import { writeFile } from 'node:fs/promises'
import { readConfiguration } from './configuration.ts'

async function read(text: string) {
  const folder = await tempFolder()
  onTestFinished(folder.remove)
  const file = `${folder.path}/c.yaml`
  const head = 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: c\nspec:\n'
  await writeFile(file, head + text.replaceAll(/^/gm, '  '))
  const { configuration, problems } = await readConfiguration([file], {})
  const lines = problems.map(({ severity, message }) => `${severity} ${message.replace(file, 'c.yaml')}`)
  return { configuration, lines, file }
}

test('both pipelines are read in order, with where each handler is written', async () => {
  const { configuration, lines, file } = await read(`httpPipeline:
  handlers:
    - name: limit
      type: middleware.http.RateLimit
      version: v1
    - {name: auth, type: middleware.http.bearer}
appHttpPipeline:
  handlers:
    - {name: up, type: middleware.http.uppercase}
`)
  expect(lines).toEqual([])
  expect(configuration.httpPipeline).toEqual([
    {
      name: 'limit',
      type: 'middleware.http.ratelimit',
      version: 'v1',
      subject: 'Configuration "c"',
      field: 'spec.httpPipeline.handlers[0]',
      source: { file, line: 8 },
    },
    {
      name: 'auth',
      type: 'middleware.http.bearer',
      version: undefined,
      subject: 'Configuration "c"',
      field: 'spec.httpPipeline.handlers[1]',
      source: { file, line: 11 },
    },
  ])
  expect(configuration.appHttpPipeline).toMatchObject([
    { name: 'up', field: 'spec.appHttpPipeline.handlers[0]' },
  ])
})

test.each([
  [
    'httpPipeline: {handlers: [{type: middleware.http.a}]}',
    'fatal c.yaml:6: Configuration "c": spec.httpPipeline.handlers[0].name is missing: name the component',
  ],
  [
    'httpPipeline: {handlers: [{name: a}]}',
    'fatal c.yaml:6: Configuration "c": spec.httpPipeline.handlers[0].type is missing: such as middleware.http.uppercase',
  ],
  [
    'appHttpPipeline: {handlers: [{name: a, type: state.redis}]}',
    'fatal c.yaml:6: Configuration "c": spec.appHttpPipeline.handlers[0].type must begin with middleware.http., got "state.redis"',
  ],
  [
    'httpPipeline: {handlers: {name: a}}',
    'fatal c.yaml:6: Configuration "c": spec.httpPipeline.handlers must be a list (each item on its own line after a dash), not a map',
  ],
  [
    `httpPipeline: {handlers: [${'{name: a, type: middleware.http.a}, '.repeat(101)}]}`,
    'fatal c.yaml:6: Configuration "c": spec.httpPipeline.handlers has more than 100 items',
  ],
  [
    'httpPipeline: {handlers: [{name: a, type: middleware.http.a, selector: {fields: [{field: b, value: c}]}}]}',
    'warn c.yaml:6: Configuration "c": spec.httpPipeline.handlers[0].selector has no effect, as in Dapr: the handler runs for every request',
  ],
  [
    'httpPipeline: {handler: []}',
    'warn c.yaml:6: Configuration "c": spec.httpPipeline.handler is not a known key and has no effect (did you mean handlers?)',
  ],
])('what is wrong is said: %#', async (text, line) => {
  expect((await read(text)).lines).toEqual([line])
})
