import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceDefinition } from '../definition.ts'
import { unpackFolder } from '../unpack.ts'

const suite = 'bullseye'

/** One agent that is its own cluster and keeps everything in memory. Only its HTTP API listens on a port that is known. */
export const consul: ServiceDefinition = {
  name: 'consul',
  packages: ['consul'],
  suite,
  binary: 'consul',
  folders: [join(unpackFolder(suite), 'usr', 'bin')],
  args: ({ host, port, dataDir }) => [
    'agent',
    '-dev',
    `-bind=${host}`,
    `-client=${host}`,
    `-http-port=${port}`,
    `-pid-file=${join(dataDir, 'consul.pid')}`,
    '-dns-port=-1',
    '-grpc-port=-1',
    ...serverPorts(port),
    '-log-level=warn',
  ],
  stopSignal: 'SIGINT',
  async probe({ host, port, dataDir, pid }) {
    const found = (await readFile(join(dataDir, 'consul.pid'), 'utf8')).trim()
    if (found !== String(pid)) throw new Error(`expected process ${pid}, found ${found}`)
    const answer = await fetch(`http://${host}:${port}/v1/status/leader`)
    if (!answer.ok || (await answer.json()) === '') throw new Error('there is no leader yet')
  },
}

/** Ports of its inner talk, beside the one that was chosen: whoever starts several has several of them. */
function serverPorts(port: number): string[] {
  const [lan, wan, server] = [1, 2, 3].map((step) => 20_000 + ((port * 4 + step) % 12_000))
  return [`-serf-lan-port=${lan}`, `-serf-wan-port=${wan}`, `-server-port=${server}`]
}
