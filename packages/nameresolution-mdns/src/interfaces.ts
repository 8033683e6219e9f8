import { networkInterfaces } from 'node:os'

/** One way out of this machine, or the loopback of it. */
export interface Link {
  readonly family: 4 | 6
  /** Its name, such as `eth0`. */
  readonly name: string
  /** What sockets call it: its address, or with IPv6 its name behind a percent sign. */
  readonly multicastInterface: string
}

type Interfaces = ReturnType<typeof networkInterfaces>

/** The links that there are now, or those of them that are wanted by name or address. */
export function currentLinks(
  wanted: readonly string[] | undefined,
  interfaces: Interfaces = networkInterfaces(),
): Link[] {
  const links = new Map<string, Link>()
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const { family, address } of addresses ?? []) {
      if (wanted !== undefined && !wanted.includes(name) && !wanted.includes(address)) continue
      const link: Link =
        family === 'IPv4'
          ? { family: 4, name, multicastInterface: address }
          : // One for all addresses of the interface.
            { family: 6, name, multicastInterface: `::%${name}` }
      links.set(linkKey(link), link)
    }
  }
  return [...links.values()]
}

export function linkKey({ name, multicastInterface }: Link): string {
  return `${name} ${multicastInterface}`
}
