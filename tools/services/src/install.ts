#!/usr/bin/env node
// Prints the Debian packages that the tests' servers and tools need; --missing only those that are absent here,
// --apt installs the missing ones, the Go programs and the Python packages.
import { spawnSync } from 'node:child_process'
import { findPython, installPython, pythonAvailable, pythonEnvironments, pythonPackages } from './python.ts'
import { findService, serviceDefinition, serviceNames } from './registry.ts'
import { findTool, installGoTools, testTools } from './tools.ts'
import { unpackPackages } from './unpack.ts'

const flag = process.argv[2]
const names = flag === undefined ? serviceNames : serviceNames.filter((name) => !findService(name))
const tools = flag === undefined ? testTools : testTools.filter((tool) => findTool(tool.binary) === undefined)
// What only another Debian suite has is unpacked, not installed.
const usual = names.filter((name) => serviceDefinition(name).suite === undefined)
const unpacked = names.filter((name) => !usual.includes(name))
const packages = [
  ...new Set([
    ...usual.flatMap((name) => serviceDefinition(name).packages),
    ...tools.flatMap((tool) => tool.packages ?? []),
    ...(flag !== undefined && pythonAvailable() ? [] : pythonPackages),
  ]),
].sort()

function apt(...args: string[]): void {
  const command = process.getuid?.() === 0 ? ['apt-get', ...args] : ['sudo', '-n', 'apt-get', ...args]
  const { status, error } = spawnSync(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    // RUNLEVEL=1 keeps the packages from starting their own daemon.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  })
  if (status !== 0) {
    process.stderr.write(`${command.join(' ')} failed${error ? `: ${error.message}` : ''}\n`)
    process.exit(status ?? 1)
  }
}

if (flag !== undefined && flag !== '--missing' && flag !== '--apt') {
  process.stderr.write('usage: install.ts [--missing | --apt]\n')
  process.exit(2)
}
if (flag === '--apt') {
  if (packages.length > 0) {
    apt('update', '-q')
    apt('install', '-y', '-q', '--no-install-recommends', ...packages)
  }
  for (const name of unpacked.filter((each) => !findService(each))) {
    const { packages: wanted, suite } = serviceDefinition(name)
    unpackPackages(suite!, wanted)
  }
  const failed = [
    ...installGoTools().map((name) => `go install of ${name}`),
    ...(await installPython()).map((name) => `pip install of ${name}`),
  ]
  if (failed.length > 0) {
    process.stderr.write(`failed: ${failed.join(', ')}\n`)
    process.exit(1)
  }
} else {
  const lines = unpacked.flatMap((name) => {
    const { packages: wanted, suite } = serviceDefinition(name)
    return wanted.map((each) => `${each} (of ${suite}; --apt unpacks it)`)
  })
  const environments = pythonEnvironments
    .filter((name) => flag === undefined || findPython(name) === undefined)
    .map((name) => `${name} (Python packages; --apt installs them)`)
  for (const line of [...packages, ...lines, ...environments]) process.stdout.write(`${line}\n`)
}
