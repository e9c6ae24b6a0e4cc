import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAbsent } from '../../packages/bench/src/peers/peer.ts'
import { findPostgres } from '../../packages/bench/src/peers/postgres.ts'
import { Servers, userFor } from '../../packages/bench/src/peers/servers.ts'
import { freePorts } from '../../packages/bench/src/ports.ts'
import { Absent, type ClientServers } from './servers.ts'

const START_MS_MAX = 30_000

/** One PostgreSQL of this machine's packages, on loopback, in a temporary folder. @throws Absent */
export async function postgresServers(): Promise<ClientServers> {
  const found = await findPostgres()
  if (isAbsent(found)) throw new Absent(`${found.absent}: ${found.why}`)
  const program = (name: string): string => join(found.bin, name)
  const servers = await Servers.inFolder('clients', await userFor('postgres'))
  try {
    const [port] = await freePorts(1)
    const data = join(servers.folder, 'data')
    await servers.run(program('initdb'), [
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'cluster',
      '-E',
      'UTF8',
      '--locale=C',
    ])
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${servers.folder}`,
    ]
    servers.start('server', program('postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])])
    const ask = (sql: string): Promise<string> =>
      servers.run(program('psql'), [
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'cluster',
        '-d',
        'postgres',
        '-qAtc',
        sql,
      ])
    const deadline = performance.now() + START_MS_MAX
    for (;;) {
      try {
        await ask('SELECT 1')
        break
      } catch (error) {
        if (performance.now() > deadline) throw error
        await pause(50)
      }
    }
    return {
      title: `PostgreSQL ${found.version}`,
      async database(name) {
        await ask(`CREATE DATABASE "${name}"`)
        return [`postgresql://cluster@127.0.0.1:${port}/${name}`]
      },
      pids: () => servers.pids,
      stop: () => servers.stop(),
    }
  } catch (error) {
    await servers.stop()
    throw error
  }
}
