import { setTimeout as sleep } from 'node:timers/promises'
import { exchange } from './exchange.ts'
import { freePort } from '@outrigger/testkit'
import { startService, type Service } from './start.ts'

/** Several Redis servers that work together. */
export interface RedisGroup {
  /** The servers that hold data. */
  readonly nodes: readonly Service[]
  /** `host:port` between commas: what a client is told. */
  readonly address: string
  stop(): Promise<void>
}

/** A cluster of masters that share the hash slots. Resolves when every node counts it as complete. */
export async function startRedisCluster(size = 3): Promise<RedisGroup> {
  const nodes: Service[] = []
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    const buses: number[] = []
    for (let n = 0; n < size; n++) {
      // The usual distance of 10000 between the two ports leads beyond the last one.
      const bus = await freePort()
      buses.push(bus)
      const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf']
      nodes.push(
        await startService('redis', {
          args: [...cluster, '--cluster-port', `${bus}`, '--cluster-node-timeout', '2000'],
        }),
      )
    }
    const share = Math.ceil(16_384 / size)
    for (const [n, node] of nodes.entries()) {
      await say(node, `CLUSTER ADDSLOTSRANGE ${n * share} ${Math.min(16_383, (n + 1) * share - 1)}`)
      await say(node, `CLUSTER SET-CONFIG-EPOCH ${n + 1}`)
    }
    for (const [n, node] of nodes.entries()) {
      if (n > 0) await say(nodes[0]!, `CLUSTER MEET ${node.host} ${node.port} ${buses[n]}`)
    }
    await until(async () => {
      const states = await Promise.all(nodes.map((node) => say(node, 'CLUSTER INFO')))
      return states.every(
        (text) => text.includes('cluster_state:ok') && text.includes(`cluster_known_nodes:${size}`),
      )
    })
    return { nodes, address: addresses(nodes), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A master with one replica and a sentinel that watches them as `mymaster`. `address` is the sentinel's. */
export async function startRedisSentinel(): Promise<RedisGroup> {
  const started: Service[] = []
  const stop = async (): Promise<void> => void (await Promise.all(started.map((service) => service.stop())))
  try {
    const master = await startService('redis')
    started.push(master)
    const replica = await startService('redis', { args: ['--replicaof', master.host, `${master.port}`] })
    started.push(replica)
    const sentinel = await startService('redis-sentinel')
    started.push(sentinel)
    await say(sentinel, `SENTINEL MONITOR mymaster ${master.host} ${master.port} 1`)
    // An attempt that finds the replica not fit yet is made again after twice the second of these times.
    await say(sentinel, 'SENTINEL SET mymaster down-after-milliseconds 500 failover-timeout 1000')
    await until(async () =>
      /num-slaves\r\n\$\d+\r\n1\r\n/.test(await say(sentinel, 'SENTINEL MASTER mymaster')),
    )
    await until(async () => (await say(replica, 'INFO replication')).includes('master_link_status:up'))
    return { nodes: [master, replica], address: addresses([sentinel]), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Sends one command and returns the raw answer; an error reply is thrown. */
export async function say({ host, port }: Service, command: string): Promise<string> {
  const answer = await exchange({ host, port, send: `${command}\r\nPING\r\n`, end: '+PONG\r\n' })
  if (answer.startsWith('-')) throw new Error(`${command}: ${answer.slice(1).trim()}`)
  return answer
}

function addresses(services: readonly Service[]): string {
  return services.map(({ host, port }) => `${host}:${port}`).join(',')
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUp = AbortSignal.timeout(60_000)
  while (!(await condition())) {
    if (giveUp.aborted) throw new Error('the servers did not find each other')
    await sleep(20)
  }
}
