/*
 * This file imports nothing and is plain enough for a Node.js of many years ago: the one thing that it must be
 * able to do there is to say that it is too old. An executable is two files. The first imports only this one:
 *
 *     import { requireNode } from '@outrigger/host/guard'
 *     if (requireNode('22.18.0', 'daprd')) import('./main.ts')
 *
 * A static import of the rest would be linked before anything runs, and fail there with something unreadable.
 */

/** Exits with 1 and one clear line when Node.js is older than `minimum` (`22.18.0`). @returns true */
export function requireNode(minimum: string, program: string): boolean {
  const running = process.versions.node
  if (isAtLeast(running, minimum)) return true
  process.stderr.write(
    program +
      ' needs Node.js ' +
      minimum +
      ' or later; this is ' +
      running +
      ' (' +
      process.execPath +
      ').\n',
  )
  process.exit(1)
}

/** Compares two versions by their numbers. */
export function isAtLeast(version: string, minimum: string): boolean {
  const have = version.split('.')
  const want = minimum.split('.')
  for (let index = 0; index < 3; index++) {
    const difference = parseInt(have[index] || '0', 10) - parseInt(want[index] || '0', 10)
    if (difference !== 0) return difference > 0
  }
  return true
}
