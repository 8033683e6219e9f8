/*
 * This file imports nothing and is plain enough for a Node.js of many years ago: the one thing that it must be
 * able to do there is to say that it is too old. An executable is two files. The first imports only this one:
 *
 *     import { requireNode } from '@outrigger/host/guard'
 *     if (requireNode('22.18.0', 'daprd')) void import('./main.ts')
 *
 * A static import of the rest would be linked before anything runs, and fail there with something unreadable.
 */

/**
 * When Node.js is older than `minimum` (`22.18.0`): writes one clear line and makes the process end with 1.
 * @returns whether the program may go on
 */
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
  process.exitCode = 1
  return false
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
