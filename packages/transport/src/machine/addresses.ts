/** Where an IP address belongs. Without a secret only `loopback`, `private` and `link-local` are served. */
export type AddressClass = 'loopback' | 'private' | 'link-local' | 'public' | 'unusable'

/** What a TCP multiaddr says. */
export interface TcpAddress {
  readonly kind: 'ip4' | 'ip6' | 'dns'
  /** An IP address, without zone, or a host name. */
  readonly host: string
  /** 0 … 65535 */
  readonly port: number
  /** The peer id that the address asks for. */
  readonly peer: string | null
}

const IP4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The four bytes of a dotted address, or `null`. */
function ip4Bytes(text: string): readonly number[] | null {
  const match = IP4.exec(text)
  if (!match) return null
  const bytes = match.slice(1).map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : null
}

/** The eight groups of an IPv6 address (zone ignored), or `null`. */
function ip6Groups(text: string): readonly number[] | null {
  let bare = text.split('%')[0] ?? ''
  const tail = bare.slice(bare.lastIndexOf(':') + 1)
  const dotted = ip4Bytes(tail)
  if (dotted) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted
    const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
    bare = bare.slice(0, bare.length - tail.length) + groups
  }
  const halves = bare.split('::')
  if (halves.length > 2) return null
  const groupsOf = (half: string): number[] | null => {
    if (half === '') return []
    const parts = half.split(':')
    return parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))
      ? parts.map((part) => Number.parseInt(part, 16))
      : null
  }
  const left = groupsOf(halves[0] ?? '')
  const right = halves.length === 2 ? groupsOf(halves[1] ?? '') : []
  if (!left || !right) return null
  const missing = 8 - left.length - right.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  return [...left, ...new Array<number>(missing).fill(0), ...right]
}

function classOfIp4(bytes: readonly number[]): AddressClass {
  const [a = 0, b = 0] = bytes
  if (a === 127) return 'loopback'
  if (a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168)) return 'private'
  if (a === 169 && b === 254) return 'link-local'
  return a === 0 || a >= 224 ? 'unusable' : 'public'
}

/** Judges an IP address in text form, also one with a zone (`fe80::1%eth0`) or mapped (`::ffff:10.0.0.1`). */
export function classOfIp(text: string): AddressClass {
  const bytes = ip4Bytes(text)
  if (bytes) return classOfIp4(bytes)
  const groups = ip6Groups(text)
  if (!groups) return 'unusable'
  const [first = 0] = groups
  const zeros = groups.findIndex((group) => group !== 0)
  if (zeros === -1) return 'unusable'
  if (zeros === 5 && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6)
    return classOfIp4([high >> 8, high & 255, low >> 8, low & 255])
  }
  if (zeros === 7 && groups[7] === 1) return 'loopback'
  if ((first & 0xfe00) === 0xfc00) return 'private'
  if ((first & 0xffc0) === 0xfe80) return 'link-local'
  return (first & 0xff00) === 0xff00 ? 'unusable' : 'public'
}

/** True when a node without a secret may talk to this host. */
export function servedWithoutSecret(ip: string): boolean {
  const found = classOfIp(ip)
  return found === 'loopback' || found === 'private' || found === 'link-local'
}

/** Reads `/ip4/…/tcp/…`, `/ip6/…`, `/dns4/…`, with or without `/p2p/…` at the end. @returns `null` for others */
export function parseTcpAddress(text: string): TcpAddress | null {
  const parts = text.split('/')
  if (parts[0] !== '') return null
  let at = 1
  // A zone comes before its address: /ip6zone/eth0/ip6/fe80::1/tcp/1.
  if (parts[at] === 'ip6zone') at += 2
  const protocol = parts[at] ?? ''
  const host = parts[at + 1] ?? ''
  const kind =
    protocol === 'ip4' || protocol === 'ip6' ? protocol : /^dns[46]?$/.test(protocol) ? 'dns' : null
  if (kind === null || parts[at + 2] !== 'tcp') return null
  if (kind === 'ip4' && !ip4Bytes(host)) return null
  if (kind === 'ip6' && !ip6Groups(host)) return null
  if (kind === 'dns' && !/^[A-Za-z0-9._-]{1,253}$/.test(host)) return null
  const portText = parts[at + 3] ?? ''
  const port = Number(portText)
  if (!/^\d{1,5}$/.test(portText) || port > 65_535) return null
  const rest = parts.slice(at + 4)
  if (rest.length === 0) return { kind, host, port, peer: null }
  if (rest.length === 2 && rest[0] === 'p2p' && rest[1]) return { kind, host, port, peer: rest[1] }
  return null
}

/** The address without the peer id that libp2p puts at its end. */
export function withoutPeer(text: string): string {
  const at = text.indexOf('/p2p/')
  return at === -1 ? text : text.slice(0, at)
}

/** True when two texts name the same IP address. */
export function sameIp(a: string, b: string): boolean {
  return canonical(a) === canonical(b)
}

function canonical(ip: string): string {
  const bytes = ip4Bytes(ip)
  if (bytes) return bytes.join('.')
  const groups = ip6Groups(ip)
  if (!groups) return ip
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (!mapped) return groups.join(':')
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

const RANK: Readonly<Record<AddressClass, number>> = {
  private: 0,
  public: 2,
  loopback: 4,
  'link-local': 6,
  unusable: 8,
}

function rank(address: string): number {
  const parsed = parseTcpAddress(address)
  if (!parsed || parsed.kind === 'dns') return 3
  return RANK[classOfIp(parsed.host)] + (parsed.kind === 'ip6' ? 1 : 0)
}

/**
 * Orders a node's own addresses for others to dial: private before public before loopback, IPv4 before IPv6.
 * Link-local IPv6 addresses are left out; they mean nothing without the zone, which is the dialler's.
 */
export function orderAddresses(addresses: readonly string[]): readonly string[] {
  const usable = addresses.filter((text) => {
    const parsed = parseTcpAddress(text)
    return parsed !== null && !(parsed.kind === 'ip6' && classOfIp(parsed.host) === 'link-local')
  })
  return [...new Set(usable)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0))
}

/**
 * A peer's addresses with those of the host that the link goes to in front. Loopback addresses of another host are
 * left out: here they would mean this very host.
 */
export function hostFirst(listening: readonly string[], host: string): readonly string[] {
  const ipOf = (text: string): string => parseTcpAddress(text)?.host ?? ''
  const isHere = classOfIp(host) === 'loopback'
  const usable = listening.filter((text) => isHere || classOfIp(ipOf(text)) !== 'loopback')
  return [
    ...usable.filter((text) => sameIp(ipOf(text), host)),
    ...usable.filter((text) => !sameIp(ipOf(text), host)),
  ]
}
