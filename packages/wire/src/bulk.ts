/**
 * What is read from a socket lies outside of V8's heap, and V8 looks at it only when 64 MiB of it have piled up,
 * nearly all of it dead. A process that streams can ask to be told earlier.
 */
let everyBytes = Infinity
let action = (): void => {}
let bytes = 0

/**
 * Has `relieve` called each time that so many bytes have come in, on all connections of the process together.
 * For the owner of a process: there is one such action, the last that was given; `Infinity` ends it.
 */
export function onBulk(every: number, relieve: () => void): void {
  everyBytes = every
  action = relieve
  bytes = 0
}

/** So many bytes came from a socket. */
export function received(length: number): void {
  bytes += length
  if (bytes < everyBytes) return
  bytes = 0
  action()
}

let shedding = false
/** Bodies up to this size are taken in even so. */
const smallBytes = 64 * 1024

/**
 * While memory is short: bodies that are wanted as a whole are given up with `OVERLOADED` once more than 64 KiB of
 * them are there. For the owner of a process.
 */
export function shedBodies(shed: boolean): void {
  shedding = shed
}

/** Whether a body of which so much is kept has to be given up. */
export function isTooMuch(kept: number): boolean {
  return shedding && kept > smallBytes
}
