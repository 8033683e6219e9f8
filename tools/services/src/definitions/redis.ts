import type { ServiceDefinition } from '../definition.ts'
import { exchange } from '../exchange.ts'

export const redis: ServiceDefinition = {
  name: 'redis',
  packages: ['redis-server'],
  binary: 'redis-server',
  args: ({ host, port, dataDir }) => [
    '--port',
    `${port}`,
    '--bind',
    host,
    '--dir',
    dataDir,
    '--save',
    '',
    '--appendonly',
    'no',
  ],
  async probe({ host, port, pid }) {
    const info = await exchange({ host, port, send: 'INFO server\r\nQUIT\r\n' })
    const found = /^process_id:(\d+)/m.exec(info)?.[1]
    if (found !== String(pid)) throw new Error(`expected process ${pid} on port ${port}, found ${found}`)
  },
}
