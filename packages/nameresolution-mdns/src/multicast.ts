import { createSocket, type Socket } from 'node:dgram'
import type { Clock, Logger, Timer } from '@outrigger/spec'
import { currentLinks, linkKey, type Link } from './interfaces.ts'

const port = 5353
const group = { 4: '224.0.0.251', 6: 'ff02::fb' } as const
const anywhere = { 4: '0.0.0.0', 6: '::' } as const
/** How often it is looked whether interfaces came or went. */
const lookEveryMs = 5000
/** RFC 6762, section 17. */
const largestMessage = 9000

export interface MulticastOptions {
  readonly interfaces: readonly string[] | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly onMessage: (message: Buffer) => void
  /** Another link can be used now. */
  readonly onLink: () => void
}

interface Receiver {
  readonly socket: Socket
  readonly joined: Set<string>
}

/**
 * The multicast group of mDNS on every interface. One socket in each family receives; each interface has one that sends
 * from the port of mDNS, since a socket sends to one interface only. What cannot be opened is tried again.
 */
export class Multicast {
  readonly #options: MulticastOptions
  readonly #receivers = new Map<4 | 6, Receiver>()
  readonly #senders = new Map<string, Socket>()
  #timer: Timer | undefined
  #closed = false
  #scanning: Promise<void> = Promise.resolve()
  #failure: unknown
  #told = false

  constructor(options: MulticastOptions) {
    this.#options = options
  }

  /** Resolves when the interfaces were tried; that none can be used is told in the log. */
  async open(): Promise<void> {
    await this.#scan()
    this.#tell()
    this.#arm()
  }

  get usable(): boolean {
    return this.#senders.size > 0 && this.#receivers.size > 0
  }

  /** Why nothing can be used. */
  get failure(): string {
    const { code } = (this.#failure ?? {}) as NodeJS.ErrnoException
    return code ?? 'there is no network interface'
  }

  /** Sends on every link. Resolves when the machine has taken it; a link that fails is closed and tried again later. */
  async send(message: Buffer): Promise<void> {
    await Promise.all(
      [...this.#senders].map(async ([key, socket]) => {
        const family = key.includes('%') ? 6 : 4
        const error = await send(socket, message, group[family])
        if (error === null || this.#closed) return
        this.#options.logger.debug('a message could not be sent', { link: key, error })
        this.#failure = error
        this.#drop(key)
      }),
    )
    this.#tell()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#scanning
    const sockets = [...this.#senders.values(), ...[...this.#receivers.values()].map(({ socket }) => socket)]
    this.#senders.clear()
    this.#receivers.clear()
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))))
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer = this.#options.clock.schedule(lookEveryMs, () => {
      this.#scanning = this.#scan().then(() => {
        this.#tell()
        this.#arm()
      })
    })
  }

  async #scan(): Promise<void> {
    const links = this.#links()
    const keys = new Set(links.map(linkKey))
    for (const key of this.#senders.keys()) if (!keys.has(key)) this.#drop(key)
    for (const { joined } of this.#receivers.values()) {
      for (const key of joined) if (!keys.has(key)) joined.delete(key)
    }
    let opened = false
    for (const link of links) {
      if (this.#closed) return
      if (this.#senders.has(linkKey(link))) continue
      try {
        await this.#use(link)
        opened = true
      } catch (error) {
        this.#options.logger.debug('a network interface cannot be used', { link: linkKey(link), error })
        // That of IPv4 says more: where it works, IPv6 is not missed.
        if (link.family === 4) this.#failure = error
        else this.#failure ??= error
      }
    }
    if (opened && !this.#closed) this.#options.onLink()
  }

  #links(): Link[] {
    try {
      return currentLinks(this.#options.interfaces)
    } catch (error) {
      this.#failure = error
      return []
    }
  }

  async #use(link: Link): Promise<void> {
    const key = linkKey(link)
    const receiver = await this.#receiver(link.family)
    if (!receiver.joined.has(key)) {
      try {
        receiver.socket.addMembership(group[link.family], link.multicastInterface)
      } catch (error) {
        // Of an interface with two addresses it is a member already.
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      }
      receiver.joined.add(key)
    }
    const sender = await bind(link.family)
    try {
      sender.setMulticastInterface(link.multicastInterface)
      sender.setMulticastTTL(255)
      sender.setMulticastLoopback(true)
    } catch (error) {
      sender.close()
      throw error
    }
    sender.on('error', () => this.#drop(key))
    this.#senders.set(key, sender)
  }

  async #receiver(family: 4 | 6): Promise<Receiver> {
    const existing = this.#receivers.get(family)
    if (existing !== undefined) return existing
    const socket = await bind(family)
    socket.on('message', (message) => {
      if (message.length <= largestMessage) this.#options.onMessage(message)
    })
    socket.on('error', (error) => {
      this.#options.logger.debug('receiving failed', { error })
      if (this.#receivers.get(family)?.socket !== socket) return
      this.#receivers.delete(family)
      socket.close()
    })
    const receiver: Receiver = { socket, joined: new Set() }
    this.#receivers.set(family, receiver)
    return receiver
  }

  #drop(key: string): void {
    const sender = this.#senders.get(key)
    this.#senders.delete(key)
    sender?.close()
  }

  #tell(): void {
    if (this.#closed || this.usable === !this.#told) return
    this.#told = !this.usable
    if (this.#told) {
      this.#options.logger.warn(
        `multicast cannot be used (${this.failure}), so other applications are neither found nor can they find this one: ` +
          'allow UDP port 5353, or use another name resolution, such as sqlite',
      )
    } else {
      this.#options.logger.info('multicast can be used again')
    }
  }
}

function send(socket: Socket, message: Buffer, address: string): Promise<Error | null> {
  return new Promise((resolve) => {
    try {
      socket.send(message, port, address, resolve)
    } catch (error) {
      resolve(error as Error)
    }
  })
}

async function bind(family: 4 | 6): Promise<Socket> {
  const socket = createSocket({
    type: family === 4 ? 'udp4' : 'udp6',
    reuseAddr: true,
    ipv6Only: family === 6,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('error', reject)
  socket.bind({ port, address: anywhere[family], exclusive: true }, resolve)
  try {
    await promise
  } catch (error) {
    socket.close()
    throw error
  }
  socket.removeListener('error', reject)
  // The sidecar ends when everything else has, whether or not it was closed.
  socket.unref()
  return socket
}
