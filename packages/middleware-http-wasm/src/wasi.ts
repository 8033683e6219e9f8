import { randomFillSync } from 'node:crypto'
import type { Clock } from '@outrigger/spec'
import type { Memory } from './memory.ts'

/** Error numbers of WASI preview 1. */
const success = 0
const badDescriptor = 8
const notSupported = 52

/** A module called `proc_exit`. */
export class Exit extends Error {
  readonly code: number

  constructor(code: number) {
    super(`the module ended itself with code ${code}`)
    this.code = code
  }
}

export interface WasiOptions {
  readonly memory: () => Memory
  readonly clock: Clock
  /** Nothing that comes from outside: neither time nor chance. */
  readonly strict: boolean
  /** What the module writes, line by line. */
  readonly onLine: (line: string) => void
}

type Functions = Record<string, (...parameters: never[]) => number | void>

/**
 * What modules of common toolchains need of WASI preview 1: output, time, chance and an end. There are no files, no
 * arguments and no variables; everything else is answered as not supported.
 */
export function wasi({ memory, clock, strict, onLine }: WasiOptions): Functions {
  const written = new Map<number, string>()
  const time = strict ? strictTime() : realTime(clock)
  let seed = 1

  function write(descriptor: number, vectors: number, count: number, result: number): number {
    if (descriptor !== 1 && descriptor !== 2) return badDescriptor
    let text = written.get(descriptor) ?? ''
    let length = 0
    for (let index = 0; index < count; index++) {
      const size = memory().uint32(vectors + index * 8 + 4)
      text += memory().utf8(memory().uint32(vectors + index * 8), size)
      length += size
    }
    const lines = text.split('\n')
    // An endless line is cut.
    written.set(descriptor, lines.pop()!.slice(-maxLine))
    for (const line of lines) onLine(line.slice(0, maxLine))
    memory().putUint32(result, length)
    return success
  }

  function nothing(count: number, size: number): number {
    memory().putUint32(count, 0)
    memory().putUint32(size, 0)
    return success
  }

  return {
    args_sizes_get: nothing,
    args_get: () => success,
    environ_sizes_get: nothing,
    environ_get: () => success,
    clock_time_get(id: number, _precision: bigint, result: number) {
      memory().putUint64(result, id === 0 ? time.wall() : time.monotonic())
      return success
    },
    clock_res_get(_: number, result: number) {
      memory().putUint64(result, 1_000_000n)
      return success
    },
    random_get(address: number, length: number) {
      const bytes = memory().slice(address, length)
      if (!strict) randomFillSync(bytes)
      else for (let index = 0; index < bytes.length; index++) bytes[index] = seed = (seed * 131 + 7) & 255
      return success
    },
    fd_write: write,
    fd_read(descriptor: number, _vectors: number, _count: number, result: number) {
      if (descriptor !== 0) return badDescriptor
      memory().putUint32(result, 0)
      return success
    },
    fd_close: (descriptor: number) => (descriptor < 3 ? success : badDescriptor),
    fd_seek: () => badDescriptor,
    fd_fdstat_get(descriptor: number, result: number) {
      if (descriptor >>> 0 > 2) return badDescriptor
      memory().slice(result, 24).fill(0)
      // A character device, which can be read or written.
      memory().slice(result, 1)[0] = 2
      return success
    },
    fd_fdstat_set_flags: () => success,
    fd_prestat_get: () => badDescriptor,
    fd_prestat_dir_name: () => badDescriptor,
    sched_yield: () => success,
    proc_exit(code: number) {
      throw new Exit(code)
    },
  }
}

/** What is not there says so, instead of keeping the module from starting. */
export function notThere(): number {
  return notSupported
}

const maxLine = 8192

interface Time {
  wall(): bigint
  monotonic(): bigint
}

function realTime(clock: Clock): Time {
  return {
    wall: () => BigInt(Math.floor(clock.now())) * 1_000_000n,
    monotonic: () => BigInt(Math.floor(clock.monotonic() * 1_000_000)),
  }
}

/** Each question takes a millisecond. */
function strictTime(): Time {
  let now = 0n
  const tick = () => (now += 1_000_000n)
  return { wall: tick, monotonic: tick }
}
