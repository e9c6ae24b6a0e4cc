import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A host of its own: a network namespace with one interface on the common bridge. */
export interface LanHost {
  readonly name: string
  /** IPv4 address, such as 10.77.0.1. */
  readonly address: string
  /** The program and arguments that run `program` on this host. */
  command(
    program: string,
    args: readonly string[],
  ): { readonly program: string; readonly args: readonly string[] }
}

export interface Lan {
  readonly hosts: readonly LanHost[]
  remove(): Promise<void>
}

/** Hosts of one LAN at most: the last number of the address, and the patience of the machine. */
const HOSTS_MAX = 64

/**
 * Makes `count` hosts on a bridge, all inside network namespaces, so that nothing reaches the machine's own
 * network. Needs the right to make them: root, or a user namespace (see `inUserNamespace`).
 * @returns null when this machine cannot (no `ip` program, no right)
 */
export async function makeLan(count: number): Promise<Lan | null> {
  if (count < 1 || count > HOSTS_MAX) throw new RangeError(`a LAN has 1 to ${HOSTS_MAX} hosts, not ${count}`)
  const prefix = `cluster-${process.pid}`
  const bridge = `${prefix}-switch`
  const made: string[] = []
  const remove = async (): Promise<void> => {
    // Deleting a namespace deletes the interfaces in it.
    for (const name of made.splice(0).reverse()) await run('ip', ['netns', 'delete', name])
  }
  const namespace = async (name: string): Promise<void> => {
    await run('ip', ['netns', 'add', name])
    made.push(name)
    await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  }
  try {
    await namespace(bridge)
  } catch {
    // Not possible here; the caller says what it does instead.
    await remove()
    return null
  }
  try {
    await run('ip', ['-n', bridge, 'link', 'add', 'lan', 'type', 'bridge', 'mcast_snooping', '0'])
    await run('ip', ['-n', bridge, 'link', 'set', 'lan', 'up'])
    const hosts: LanHost[] = []
    for (let i = 1; i <= count; i++) {
      const name = `${prefix}-${i}`
      const address = `10.77.0.${i}`
      await namespace(name)
      await run('ip', [
        '-n',
        name,
        'link',
        'add',
        'eth0',
        'type',
        'veth',
        'peer',
        'name',
        `port${i}`,
        'netns',
        bridge,
      ])
      await run('ip', ['-n', bridge, 'link', 'set', `port${i}`, 'master', 'lan', 'up'])
      await run('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0'])
      await run('ip', ['-n', name, 'link', 'set', 'eth0', 'up'])
      await run('ip', ['-n', name, 'route', 'add', 'default', 'dev', 'eth0'])
      hosts.push({
        name,
        address,
        command: (program, args) => ({ program: 'ip', args: ['netns', 'exec', name, program, ...args] }),
      })
    }
    return { hosts, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * The command that runs a program as root of a user namespace of its own, where network namespaces can be made
 * without being root outside.
 */
export function inUserNamespace(
  program: string,
  args: readonly string[],
): { program: string; args: readonly string[] } {
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"'
  return { program: 'unshare', args: ['-Urnm', 'sh', '-c', script, 'sh', program, ...args] }
}
