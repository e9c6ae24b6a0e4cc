import { type NodeId, nodeId, partitionId, relationId } from '@cluster/core'
import { type Assignment, type CommitInput, encodeAlter, encodeAssign, encodeCommit, encodeCreate, encodeDescribe, encodeDrop, encodeReplicas, type PartitionWrites } from '../../src/machine/commands.ts'
import type { RangeRead } from '../../src/machine/reads.ts'
import { DatabasesMachine, type Step } from '../../src/machine/machine.ts'
import { planPlacement } from '../../src/machine/placement.ts'
import { explainRisk } from '../../src/machine/risk.ts'
import { neededIndex, replicaOn } from '../../src/machine/state.ts'

const nodes = (text = ''): NodeId[] => (text === '' ? [] : text.split(',').map(nodeId))

/**
 * Runs a script against one machine and tells what it answers. One command a line:
 * - `create NAME redundancy=N|all partitions=N minCopies=N on=a,b`
 * - `show NAME`: partitions with their replicas; `a*` is complete, `a` is not
 * - `plan NAME living=a,b members=a,b,c away=c`: what the controller would do; `replan` does it, too
 * - `assign NAME pN epoch=E a,b`, `complete NAME pN node`, `lost NAME pN node`, `offer NAME pN node`, `… since=I`
 * - `commit NAME version=V get=R/K range=R[K..K)@pN put=pN/R/K del=pN/R/K`, any number of each
 * - `risk NAME living=a,b voters=a,b nodes=b`: what would become of it if these nodes went
 * - `describe NODE zone=Z capacity=100`: a node tells what it is
 * - `alter NAME redundancy=N|all minCopies=N`
 * - `drop NAME`
 * - `restore`: goes on with a machine restored from the snapshot, which must be the same
 */
export class Script {
  #machine = new DatabasesMachine({ writesMax: 6, keyBytesMax: 1_000 })
  #index = 0

  run(line: string): string {
    const [verb, ...words] = line.split(/\s+/)
    switch (verb) {
      case 'create':
        return this.#create(words)
      case 'show':
        return this.#show(words[0] ?? '')
      case 'plan':
      case 'replan':
        return this.#plan(words, verb === 'replan')
      case 'assign':
        return this.#assign(words)
      case 'complete':
      case 'lost':
      case 'offer':
        return this.#mark(verb, words)
      case 'commit':
        return this.#commit(words)
      case 'risk':
        return this.#risk(words)
      case 'describe':
        return this.#describe(words)
      case 'alter':
        return this.#alter(words)
      case 'drop':
        return this.#apply(encodeDrop({ database: this.#database(words[0] ?? '').id }))
      case 'dropped':
        return `${this.#machine.isDropped(words[0] ?? '')}`
      case 'restore':
        return this.#restore()
      default:
        throw new Error(`the script has the unknown command ${verb}`)
    }
  }

  #apply(bytes: Uint8Array): string {
    this.#index++
    return `${this.#index}: ${described(this.#machine.apply(this.#index, bytes))}`
  }

  #create([name = '', ...words]: string[]): string {
    const option = options(words)
    const redundancy = option('redundancy') ?? '2'
    return this.#apply(
      encodeCreate({
        name,
        uid: name,
        options: {
          redundancy: redundancy === 'all' ? 'all' : Number(redundancy),
          partitions: Number(option('partitions') ?? 2),
          minCopies: Number(option('minCopies') ?? 1),
        },
        candidates: nodes(option('on')),
      }),
    )
  }

  #database(name: string) {
    const database = this.#machine.database(name)
    if (database === null) throw new Error(`the script names the unknown database ${name}`)
    return database
  }

  #show(name: string): string {
    const { partitions } = this.#database(name)
    const kept = neededIndex(this.#database(name), this.#index, 100)
    const note = Number.isFinite(kept) ? `\n  the log is kept behind ${kept}` : ''
    return `${partitions
      .map(({ id, epoch, replicas, lastWrite }) => {
        const list = replicas.map(({ node, complete, replaces }) => {
          return `${node}${complete ? '*' : ''}${replaces === null ? '' : `(for ${replaces})`}`
        })
        return `  p${id} epoch ${epoch} written ${lastWrite}: ${list.join(' ')}`
      })
      .join('\n')}${note}`
  }

  #plan([name = '', ...words]: string[], apply: boolean): string {
    const option = options(words)
    const plan = planPlacement(this.#database(name), {
      living: nodes(option('living')),
      members: nodes(option('members') ?? option('living')),
      away: nodes(option('away')),
      traits: this.#machine.traits,
    })
    const lines = plan.map(assignmentText)
    if (apply && plan.length > 0) lines.push(this.#apply(encodeAssign(plan)))
    return lines.length === 0 ? 'nothing to do' : lines.join('\n')
  }

  #alter([name = '', ...words]: string[]): string {
    const option = options(words)
    const { id, options: before } = this.#database(name)
    const redundancy = option('redundancy')
    return this.#apply(
      encodeAlter({
        database: id,
        redundancy: redundancy === 'all' ? 'all' : Number(redundancy ?? before.redundancy),
        minCopies: Number(option('minCopies') ?? before.minCopies),
      }),
    )
  }

  #describe([node = '', ...words]: string[]): string {
    const option = options(words)
    const traits = { zone: option('zone') ?? null, capacity: Number(option('capacity') ?? 100) }
    return this.#apply(encodeDescribe({ node: nodeId(node), traits }))
  }

  #risk([name = '', ...words]: string[]): string {
    const option = options(words)
    const view = { living: new Set(nodes(option('living'))), voters: nodes(option('voters')) }
    const risk = explainRisk(this.#database(name), view, nodes(option('nodes')))
    const lines = (['lost', 'paused', 'reduced'] as const).flatMap((kind) =>
      risk[kind].map(({ partition, relations, copies, waitingFor }) => {
        const named = relations.length === 0 ? '' : ` with ${relations.join(',')}`
        return `  ${kind} p${partition}${named}: ${copies} left, not ${waitingFor.join(' ')}`
      }),
    )
    if (risk.writesPause) lines.push('  writes pause')
    return lines.length === 0 ? '  nothing happens' : lines.join('\n')
  }

  #assign([name = '', partition = '', epoch = '', list = '']: string[]): string {
    return this.#apply(
      encodeAssign([
        {
          database: this.#database(name).id,
          partition: partitionId(Number(partition.slice(1))),
          epoch: Number(epoch.replace('epoch=', '')),
          replicas: nodes(list).map((node) => ({ node, replaces: null })),
        },
      ]),
    )
  }

  #mark(type: 'complete' | 'lost' | 'offer', [name = '', where = '', who = '', since]: string[]): string {
    const database = this.#database(name)
    const partition = partitionId(Number(where.slice(1)))
    const record = database.partitions[partition]
    const current = record === undefined ? undefined : replicaOn(record, nodeId(who))
    return this.#apply(
      encodeReplicas({
        type,
        node: nodeId(who),
        replicas: [
          {
            database: database.id,
            partition,
            since: since === undefined ? (current?.since ?? 0) : Number(since.replace('since=', '')),
          },
        ],
      }),
    )
  }

  #commit([name = '', ...words]: string[]): string {
    const input: CommitInput & { ranges: RangeRead[]; points: CommitInput['points'][number][] } = {
      database: this.#database(name).id,
      version: Number(options(words)('version') ?? this.#index),
      points: [],
      ranges: [],
      writes: [],
    }
    const writes = new Map<number, { -readonly [K in keyof PartitionWrites]: PartitionWrites[K] }>()
    for (const word of words) {
      const [kind = '', text = ''] = word.split('=')
      if (kind === 'get') {
        const [relation = '', key = ''] = text.split('/')
        input.points.push({ relation: relationId(Number(relation)), key })
      } else if (kind === 'range') {
        const match = /^(\d+)\[(\w*)\.\.(\w*)\)(?:@p(\d+))?$/.exec(text)
        if (match === null) throw new Error(`the script has the wrong range ${text}`)
        input.ranges.push({
          relation: relationId(Number(match[1])),
          partitions: match[4] === undefined ? null : [partitionId(Number(match[4]))],
          from: match[2] || null,
          to: match[3] || null,
        })
      } else if (kind === 'put' || kind === 'del') {
        const [partition = '', relation = '', key = ''] = text.split('/')
        const id = partitionId(Number(partition.slice(1)))
        const part = writes.get(id) ?? { partition: id, relations: [], keys: [], rows: [] }
        part.relations = [...part.relations, relationId(Number(relation))]
        part.keys = [...part.keys, key]
        part.rows = [...part.rows, kind === 'put' ? [key] : null]
        writes.set(id, part)
      }
    }
    return this.#apply(encodeCommit({ ...input, writes: [...writes.values()] }))
  }

  #restore(): string {
    const snapshot = this.#machine.snapshot().slice()
    const restored = new DatabasesMachine({ writesMax: 6, keyBytesMax: 1_000 })
    restored.restore(snapshot, this.#index)
    const again = restored.snapshot()
    if (again.length !== snapshot.length || again.some((byte, i) => byte !== snapshot[i]))
      throw new Error('a restored machine has another snapshot')
    this.#machine = restored
    return 'the same'
  }
}

function options(words: readonly string[]): (name: string) => string | undefined {
  return (name) => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1)
}

function assignmentText({ partition, epoch, replicas }: Assignment): string {
  const list = replicas.map(({ node, replaces }) => (replaces === null ? node : `${node}(for ${replaces})`))
  return `  p${partition} at epoch ${epoch}: ${list.join(' ')}`
}

function described({ result, effects }: Step): string {
  const { type, ...rest } = result
  const facts = Object.entries(rest).map(([name, value]) => ` ${name} ${String(value)}`)
  return `${type}${facts.join('')}${effects.length === 0 ? '' : `; ${effects.map((effect) => effect.type).join(', ')}`}`
}

