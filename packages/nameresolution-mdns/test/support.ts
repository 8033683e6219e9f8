import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { waitFor } from '@outrigger/testkit'
import { onTestFinished } from 'vitest'
import type { ChildOptions } from './child.ts'

const script = fileURLToPath(new URL('child.ts', import.meta.url))

/** A process that resolves names, perhaps in a network of its own. */
export interface Child {
  readonly process: ChildProcess
  /** Everything that it said of one kind. */
  said(kind: string): unknown[]
  /** Waits until it has said something of a kind `count` times, and returns what it said last. */
  hears(kind: string, count?: number): Promise<unknown>
  /** Waits until the last that it said of a kind is this. */
  ends(kind: string, value: unknown): Promise<void>
  tell(order: string): void
  /** Lets it leave; resolves with its exit code. */
  leave(): Promise<number | null>
}

export async function startChild(options: ChildOptions, network?: Network): Promise<Child> {
  const command = [process.execPath, '--conditions=@outrigger/source', script, JSON.stringify(options)]
  const [program, ...args] = network === undefined ? command : [...network.enter, ...command]
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: Record<string, unknown>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>)
  })
  const said = (kind: string): unknown[] => lines.filter((line) => kind in line).map((line) => line[kind])
  const hears = async (kind: string, count = 1): Promise<unknown> => {
    await waitFor(() => said(kind).length >= count, { what: `${kind}, said ${JSON.stringify(lines)}` })
    return said(kind).at(-1)
  }
  await hears('ready')
  return {
    process: child,
    said,
    hears,
    async ends(kind, value) {
      await waitFor(() => JSON.stringify(said(kind).at(-1)) === JSON.stringify(value), {
        what: `${kind} ${JSON.stringify(value)}`,
      }).catch((error: unknown) => {
        throw new Error(`it said ${JSON.stringify(lines)}`, { cause: error })
      })
    },
    tell: (order) => void child.stdin.write(`${order}\n`),
    async leave() {
      const exit = once(child, 'exit')
      child.stdin.end()
      return ((await exit) as [number | null])[0]
    },
  }
}

/** A network namespace of its own, that is gone with the test. */
export interface Network {
  /** What goes before a command that shall run in it. */
  readonly enter: readonly string[]
  readonly pid: number
  run(...command: string[]): string
}

/** Whether this process may make networks. */
export const networks = spawnSync('unshare', ['-n', 'ip', 'link']).status === 0

export async function startNetwork(): Promise<Network> {
  const holder = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' })
  onTestFinished(() => void holder.kill('SIGKILL'))
  const own = readlinkSync('/proc/self/ns/net')
  const pid = holder.pid!
  await waitFor(() => readlinkSync(`/proc/${pid}/ns/net`) !== own)
  const enter = ['nsenter', '-t', String(pid), '-n']
  const run = (...command: string[]): string => {
    const { status, stdout, stderr } = spawnSync(enter[0]!, [...enter.slice(1), ...command], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`)
    return stdout
  }
  return { enter, pid, run }
}

/** Two machines with a cable between them: 10.77.0.1 and 10.77.0.2. */
export async function startPair(): Promise<readonly [Network, Network]> {
  const pair = await Promise.all([startNetwork(), startNetwork()])
  const [a, b] = pair
  a.run('ip', 'link', 'add', 'cable0', 'type', 'veth', 'peer', 'name', 'cable1')
  a.run('ip', 'link', 'set', 'cable1', 'netns', String(b.pid))
  for (const [network, name, address] of [
    [a, 'cable0', '10.77.0.1/24'],
    [b, 'cable1', '10.77.0.2/24'],
  ] as const) {
    network.run('ip', 'address', 'add', address, 'dev', name)
    network.run('ip', 'link', 'set', name, 'up')
    network.run('ip', 'link', 'set', 'lo', 'up')
  }
  return pair
}
