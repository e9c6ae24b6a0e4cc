import { isIP } from 'node:net'
import { type Address, address, ClusterError } from '@cluster/core'
import type { NodeErrorDetail } from './errors.ts'

const HOST_PORT = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:/\s]+))(?::(?<port>\d{1,5}))?$/

/**
 * Turns what people type into an address: `host:port`, `1.2.3.4:7000`, `[::1]:7000`, `:7000` (all interfaces),
 * `7000`, or a multiaddr such as `/ip4/1.2.3.4/tcp/7000`, which is taken as it is.
 * @param option the option's name, for the error
 * @param defaultPort the port when none is given; null makes the port a duty
 * @throws OPTION_INVALID
 */
export function parseAddresses(text: string, option: string, defaultPort: number | null): readonly Address[] {
  if (text.startsWith('/')) return [address(text)]
  const bare = /^:?(\d{1,5})$/.exec(text)
  if (bare) {
    const port = checkPort(Number(bare[1]), text, option)
    return [address(`/ip4/0.0.0.0/tcp/${port}`), address(`/ip6/::/tcp/${port}`)]
  }
  const groups = HOST_PORT.exec(text)?.groups
  const host = groups?.v6 ?? groups?.host
  const port = groups?.port === undefined ? defaultPort : checkPort(Number(groups.port), text, option)
  if (host === undefined || port === null) throw invalid(text, option)
  const version = isIP(host)
  if (groups?.v6 !== undefined && version !== 6) throw invalid(text, option)
  const kind = version === 4 ? 'ip4' : version === 6 ? 'ip6' : 'dns'
  return [address(`/${kind}/${host}/tcp/${port}`)]
}

function checkPort(port: number, text: string, option: string): number {
  if (port > 65_535) throw invalid(text, option)
  return port
}

function invalid(given: string, option: string): ClusterError<NodeErrorDetail> {
  return new ClusterError<NodeErrorDetail>(
    { code: 'OPTION_INVALID', outcome: 'rejected', option, given },
    `${option} "${given}" is not an address: write host:port, [ipv6]:port, or a multiaddr such as /ip4/10.0.0.5/tcp/7000`,
  )
}
