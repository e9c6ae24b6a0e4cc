import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inUserNamespace, type Lan, makeLan } from './lan/lan.ts'
import { playScene, type SceneOptions } from './scene/play.ts'

const HELP = `usage: npm run scene -- [options]

Starts nodes as processes of their own, writes ten rows with redundancy, kills one node after another with
kill -9 in random order, and checks after every kill that nothing is lost and writes go on.

  --nodes <n>        nodes to start (default 4)
  --redundancy <n>   copies of every row (default 2)
  --down-to <n>      nodes left at the end (default 1)
  --restart          start each killed node again, with its data, before the next one is killed; all are there at the end
  --seed <n>         the order of the kills (default: a random one, printed)
  --loopback         all nodes on this host's loopback with a seed list, instead of hosts of their own with mDNS`

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '4' },
    redundancy: { type: 'string', default: '2' },
    'down-to': { type: 'string', default: '1' },
    restart: { type: 'boolean', default: false },
    seed: { type: 'string' },
    loopback: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}
const options: SceneOptions = {
  nodes: Number(values.nodes),
  redundancy: Number(values.redundancy),
  downTo: Number(values['down-to']),
  seed: values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed),
  restart: values.restart,
}
const { nodes, redundancy, downTo, seed } = options
if (
  ![nodes, redundancy, downTo, seed].every((value) => Number.isInteger(value) && value >= 0) ||
  downTo < 1 ||
  nodes < downTo
) {
  console.error(`the options must be whole numbers, with nodes >= down-to >= 1\n\n${HELP}`)
  process.exit(2)
}

const IN_NAMESPACE = 'CLUSTER_SCENE_NAMESPACE'
const lan = values.loopback ? null : await makeLan(options.nodes)
if (lan === null && !values.loopback && process.getuid?.() !== 0 && process.env[IN_NAMESPACE] === undefined) {
  const code = await again()
  // 127 and 1 with no output come from unshare itself: user namespaces are switched off here.
  if (code !== null) process.exit(code)
}
process.exit(await play(lan))

async function play(hosts: Lan | null): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-scene-'))
  try {
    if (hosts)
      console.log(
        `${options.nodes} nodes on hosts of their own (network namespaces on a bridge), found by mDNS`,
      )
    else console.log(`${options.nodes} nodes on this host's loopback, found by a seed list`)
    return (await playScene(options, folder, hosts)) ? 0 : 1
  } finally {
    await hosts?.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Plays the scene as root of a user namespace of its own; null when that cannot be made here. */
async function again(): Promise<number | null> {
  const probe = inUserNamespace('true', [])
  const allowed = spawn(probe.program, [...probe.args], { stdio: 'ignore' })
  const [result] = await Promise.race([once(allowed, 'exit'), once(allowed, 'error')])
  if (result !== 0) return null
  const { program, args } = inUserNamespace(process.execPath, [
    ...process.execArgv,
    ...process.argv.slice(1),
    '--seed',
    String(options.seed),
  ])
  const child = spawn(program, [...args], { stdio: 'inherit', env: { ...process.env, [IN_NAMESPACE]: '1' } })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}
