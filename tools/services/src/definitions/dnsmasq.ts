import { mkdirSync, readFileSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import type { ServiceDefinition } from '../definition.ts'

/**
 * A DNS server that knows what stands in files of the folder `hosts` of its `dataDir`, in the syntax of a hosts file,
 * and follows their changes. Every other name does not exist.
 */
export const dnsmasq: ServiceDefinition = {
  name: 'dnsmasq',
  packages: ['dnsmasq-base'],
  binary: 'dnsmasq',
  args: ({ host, port, dataDir }) => {
    mkdirSync(join(dataDir, 'hosts'), { recursive: true })
    return [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      `--pid-file=${join(dataDir, 'dnsmasq.pid')}`,
      '--user=',
      '--group=',
      `--listen-address=${host}`,
      '--bind-interfaces',
      `--port=${port}`,
      '--no-resolv',
      '--no-hosts',
      '--local=/#/',
      `--hostsdir=${join(dataDir, 'hosts')}`,
      '--host-record=probe.test,127.0.0.9',
    ]
  },
  async probe({ host, port, dataDir, pid }) {
    const found = readFileSync(join(dataDir, 'dnsmasq.pid'), 'utf8').trim()
    if (found !== String(pid)) throw new Error(`expected process ${pid}, found ${found}`)
    const resolver = new Resolver({ timeout: 500, tries: 1 })
    resolver.setServers([`${host}:${port}`])
    await resolver.resolve4('probe.test')
  },
}
