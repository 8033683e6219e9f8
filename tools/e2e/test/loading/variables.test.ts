import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@outrigger/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, component, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'

let sidecar: Sidecar
let internalPort: number

/** A binding whose folder is a variable. */
const files = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: files
spec:
  type: bindings.localstorage
  version: v1
  metadata:
    - name: rootPath
      envRef: APP_ID
`

const config = `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: config
spec:
  secrets:
    scopes:
      - storeName: env
        deniedSecrets: ["$APP_ID-$DAPR_PORT"]
`

beforeAll(async () => {
  internalPort = await freePort()
  sidecar = await startSidecar({
    appId: 'orders',
    resources: {
      'components.yaml': `${component('env', 'secretstores.local.env')}---\n${files}`,
      'config.yaml': config,
    },
    flags: ['--config=resources/config.yaml', `--dapr-internal-grpc-port=${internalPort}`],
    env: { DAPR_HOST_IP: '192.0.2.7', [`orders-${internalPort}`]: 'not to be seen' },
  })
})
afterAll(endSidecars)

const secret = (name: string) => call(sidecar.httpPort, 'GET', `/v1.0/secrets/env/${name}`)

test.each([
  ['APP_ID', 'orders'],
  ['APP_PORT', '0'],
  ['HOST_ADDRESS', '192.0.2.7'],
])('%s is there for secretstores.local.env', async (name, value) => {
  expect((await secret(name)).json).toEqual({ [name]: value })
})

test.each(['DAPR_PORT', 'DAPR_HTTP_PORT', 'DAPR_METRICS_PORT'])('%s is not given out', async (name) => {
  expect((await secret(name)).status).toBe(500)
})

test('components refer to them', async () => {
  const body = { operation: 'create', data: 'text', metadata: { fileName: 'a.txt' } }
  expect((await call(sidecar.httpPort, 'POST', '/v1.0/bindings/files', body)).status).toBe(200)
  expect(await readdir(join(sidecar.folder, 'orders'))).toEqual(['a.txt'])
})

test('files of --config refer to all of them', async () => {
  expect((await secret(`orders-${internalPort}`)).status).toBe(403)
})
