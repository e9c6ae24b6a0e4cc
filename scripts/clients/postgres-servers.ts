import { chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { selfSigned } from '@cluster/testkit'
import { isAbsent } from '../../packages/bench/src/peers/peer.ts'
import { findPostgres } from '../../packages/bench/src/peers/postgres.ts'
import { Servers, userFor } from '../../packages/bench/src/peers/servers.ts'
import { freePorts } from '../../packages/bench/src/ports.ts'
import { Absent, type ClientServers, SECURED } from './servers.ts'

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
    const { cert, key } = selfSigned()
    await writeFile(join(data, 'server.crt'), cert)
    await writeFile(join(data, 'server.key'), key, { mode: 0o600 })
    await writeFile(
      join(data, 'pg_hba.conf'),
      `host all ${SECURED} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n`,
    )
    if (servers.user !== null)
      for (const name of ['server.crt', 'server.key', 'pg_hba.conf'])
        await chown(join(data, name), servers.user.uid, servers.user.gid)
    const settings = [
      'ssl=on',
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
      secured: async () => port ?? 0,
      pids: () => servers.pids,
      stop: () => servers.stop(),
    }
  } catch (error) {
    await servers.stop()
    throw error
  }
}
