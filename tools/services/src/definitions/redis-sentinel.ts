import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceDefinition } from '../definition.ts'
import { redis } from './redis.ts'

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
  probe: redis.probe,
}
