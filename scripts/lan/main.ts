import { once } from 'node:events'
import { makeLan } from './lan.ts'

const count = Number(process.argv[2] ?? 2)
if (!Number.isInteger(count)) {
  console.error(
    'usage: node --conditions=source scripts/lan/main.ts [hosts]   makes hosts on a bridge, until Ctrl-C',
  )
  process.exit(2)
}
const lan = await makeLan(count)
if (lan === null) {
  console.error(
    'cannot make network namespaces: run as root, with the program "ip" (Debian: apt-get install iproute2)',
  )
  process.exit(2)
}
console.log('hosts, until Ctrl-C; run a node on one of them with')
for (const host of lan.hosts) {
  const { program, args } = host.command('npm', ['start'])
  console.log(`  ${[program, ...args].join(' ')}   # ${host.address}`)
}
// A timer keeps the process until a signal comes.
const alive = setInterval(() => {}, 60_000)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
clearInterval(alive)
await lan.remove()
