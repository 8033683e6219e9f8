import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A program that tests or benchmarks run as a peer, beside the servers: where it comes from. */
export interface TestTool {
  readonly binary: string
  /** Debian packages that bring it. */
  readonly packages?: readonly string[]
  /** A Go program, by its path and version in the module proxy. */
  readonly goModule?: string
}

export const testTools: readonly TestTool[] = [
  { binary: 'curl', packages: ['curl'] },
  { binary: 'ip', packages: ['iproute2'] },
  { binary: 'openssl', packages: ['openssl'] },
  { binary: 'nghttp', packages: ['nghttp2-client'] },
  { binary: 'nginx', packages: ['nginx-light'] },
  { binary: 'haproxy', packages: ['haproxy'] },
  { binary: 'go', packages: ['golang-go'] },
  { binary: 'mvn', packages: ['maven', 'default-jdk-headless'] },
  { binary: 'h2spec', goModule: 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible' },
]

/** Folders in which programs are looked for, besides PATH. */
const folders = ['/usr/local/go/bin', '/usr/sbin', join(homedir(), 'go', 'bin')]

/** The path of a tool; `undefined` when it is not installed. */
export function findTool(binary: string): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...path, ...folders].map((folder) => join(folder, binary)).find((file) => existsSync(file))
}

/** Installs the Go programs that are missing, into the Go folder of the user. @returns what could not be installed */
export function installGoTools(): readonly string[] {
  const missing = testTools.filter(
    (tool) => tool.goModule !== undefined && findTool(tool.binary) === undefined,
  )
  const go = findTool('go')
  return missing
    .filter((tool) => {
      if (go === undefined) return true
      const { status } = spawnSync(go, ['install', tool.goModule!], {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, GOBIN: join(homedir(), 'go', 'bin') },
      })
      return status !== 0
    })
    .map((tool) => tool.binary)
}
