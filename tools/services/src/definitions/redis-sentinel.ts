import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceDefinition } from '../definition.ts'
import { exchange } from '../exchange.ts'

/** A sentinel that watches nobody yet: tell it with `SENTINEL MONITOR`. */
export const redisSentinel: ServiceDefinition = {
  name: 'redis-sentinel',
  packages: ['redis-server'],
  binary: 'redis-server',
  args: ({ host, port, dataDir }) => {
    // It writes what it learns into this file and refuses to start without one.
    const file = join(dataDir, 'sentinel.conf')
    writeFileSync(file, `port ${port}\nbind ${host}\ndir ${dataDir}\n`)
    return [file, '--sentinel']
  },
  // A sentinel knows no QUIT.
  async probe({ host, port, pid }) {
    const info = await exchange({ host, port, send: 'INFO server\r\nPING\r\n', end: '+PONG\r\n' })
    const found = /^process_id:(\d+)/m.exec(info)?.[1]
    if (found !== String(pid)) throw new Error(`expected process ${pid} on port ${port}, found ${found}`)
  },
}
