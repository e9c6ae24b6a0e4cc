import { type LineageId, nodeId } from '@cluster/core'
import type { ConfigurationChange, Effect, MemberChange, Message } from '../src/machine/raft/types.ts'
import { describeEntry, type Letter, TestCluster, type TestNode } from './raft-cluster.ts'

const encoder = new TextEncoder()

function describeMessage(message: Message): string {
  const head = `${message.type} t${message.term}`
  switch (message.type) {
    case 'preVote':
      return `${head} last=${message.last.index}@${message.last.term}`
    case 'vote':
      return `${head} last=${message.last.index}@${message.last.term}${message.transfer ? ' transfer' : ''}`
    case 'preVoteReply':
    case 'voteReply':
      return `${head} ${message.granted ? 'yes' : 'no'}`
    case 'append': {
      const entries = message.entries.map((entry) => `${entry.index}@${entry.term} ${describeEntry(entry)}`)
      const { previous, commit, rest } = message
      return `${head} after=${previous.index}@${previous.term} commit=${commit} [${entries.join(', ')}]${rest ? ' rest' : ''}`
    }
    case 'appendReply': {
      const { rejected, match } = message
      if (rejected === null) return `${head} match=${match}`
      return `${head} rejects ${rejected.previous}, try ${rejected.hint.index}@${rejected.hint.term}`
    }
    case 'timeoutNow':
      return head
    case 'lineage':
      return `${head} ${message.history.lineage}`
  }
}

function describeEffect(effect: Effect): string | null {
  switch (effect.type) {
    case 'send':
      return `-> ${effect.to} ${describeMessage(effect.message)}`
    case 'persist': {
      const parts: string[] = []
      if (effect.hardState !== null)
        parts.push(`term ${effect.hardState.term} vote ${effect.hardState.votedFor ?? '-'}`)
      if (effect.snapshot !== null) parts.push(`snapshot ${effect.snapshot.meta.index}`)
      if (effect.truncateFrom !== null) parts.push(`cut from ${effect.truncateFrom}`)
      if (effect.entries.length > 0)
        parts.push(`[${effect.entries.map((entry) => `${entry.index}@${entry.term}`).join(' ')}]`)
      for (const after of effect.then) {
        if (after.type === 'send') parts.push(`then -> ${after.to} ${describeMessage(after.message)}`)
      }
      return `persist ${parts.join('; ')}`
    }
    case 'apply':
      return `apply ${effect.entries.map((entry) => `${entry.index}@${entry.term} ${describeEntry(entry)}`).join(', ')}`
    case 'accepted':
      return `accepted at ${effect.index}@${effect.term}`
    case 'dropped':
      return `dropped: ${effect.reason}, leader ${effect.leader ?? '-'}`
    case 'changeRefused':
      return `change refused: ${effect.reason}`
    case 'readReady':
      return `read may see ${effect.index}`
    case 'readFailed':
      return `read failed: ${effect.reason}, leader ${effect.leader ?? '-'}`
    case 'role':
      return `${effect.role} in term ${effect.term}, leader ${effect.leader ?? '-'}`
    case 'configuration':
      return null
    case 'sendSnapshot':
      return `snapshot for ${effect.to}`
    case 'snapshotRefused':
      return 'snapshot refused'
    case 'transferFailed':
      return `transfer to ${effect.to} failed`
    case 'lineage':
      return `lineage ${effect.history.lineage}${effect.alone ? ' alone' : ''}`
    case 'forked':
      return `forked: ${effect.mine.lineage} here, ${effect.theirs.lineage} at ${effect.from}`
    case 'aloneRefused':
      return `not alone: ${effect.reason}`
    case 'recovered':
      return `recovered from ${effect.last.index}@${effect.last.term}`
    case 'recoverRefused':
      return `no recovery: ${effect.reason}`
  }
}

/** Runs the commands of golden scripts on a `TestCluster` and writes down what happens. */
export class GoldenScript {
  #cluster = new TestCluster(1)
  #lines: string[] = []
  #trace = false
  /** Which side of a split a node is on; empty when there is none. */
  #sides = new Map<string, number>()

  run(line: string): string[] {
    this.#lines = []
    const [verb = '', ...args] = line.trim().split(/\s+/)
    const handler = this.#verbs[verb]
    if (handler === undefined) throw new Error(`unknown verb in: ${line}`)
    handler(args)
    return this.#lines
  }

  readonly #verbs: Record<string, (args: readonly string[]) => void> = {
    cluster: (args) => {
      // Words with `=` are options: `appendBytesMax=1` sends one entry a message.
      const options = args.filter((arg) => arg.includes('=')).map((arg) => arg.split('='))
      const chosen = Object.fromEntries(options.map(([name, value]) => [name, Number(value)]))
      this.#cluster = new TestCluster(1, {
        electionTimeoutMs: 100,
        heartbeatMs: 20,
        restFactor: 1,
        ...chosen,
      })
      this.#cluster.onStep = (node, _input, effects) => this.#record(node, effects)
      this.#trace = false
      this.#sides.clear()
      const learners = args.filter((arg) => arg.startsWith('+')).map((arg) => arg.slice(1))
      this.#cluster.formed(
        args.filter((arg) => !/[+=]/.test(arg)),
        learners,
      )
    },
    /** A node that belongs to nothing. */
    fresh: (args) => {
      for (const id of args) this.#cluster.add(id).start()
    },
    form: ([id = '']) => {
      const history = { cluster: 'c', lineage: `of-${id}` as LineageId, ancestry: [] } as never
      this.#node(id).step({ type: 'form', history, provisional: true })
    },
    join: ([id = '', at = '']) => {
      const history = this.#node(at).raft.view().history
      if (history !== null) this.#node(id).step({ type: 'join', history })
    },
    trace: ([word]) => {
      this.#trace = word === 'on'
    },
    tick: ([ms = '0']) => this.#cluster.tick(Number(ms)),
    /** Milliseconds pass one by one, and all that is on its way arrives meanwhile. */
    run: ([ms = '0']) => {
      for (let i = 0; i < Number(ms); i++) {
        this.#cluster.tick(1)
        this.#verbs['stabilize']?.([])
      }
    },
    /** Time passes for one node until it has something to do. */
    timeout: ([id = '']) => {
      const { wakeAt } = this.#node(id).raft.view()
      if (wakeAt === Number.POSITIVE_INFINITY) {
        this.#lines.push(`${id}: waits for nothing`)
        return
      }
      const node = this.#node(id)
      node.skew = Math.max(node.skew, Math.ceil(wakeAt) - this.#cluster.now)
      node.tick()
    },
    propose: ([id = '', ...words]) => {
      const data = words.map((word) => encoder.encode(word))
      this.#node(id).step({
        type: 'propose',
        ref: this.#cluster.ref(),
        now: this.#cluster.now,
        wall: 0,
        data,
      })
    },
    /** `change a promote c`, or several at once: `change a promote:c remove:b`. */
    change: ([id = '', ...words]) => {
      const single = ([type = '', node = '']: readonly string[]): MemberChange =>
        ({ type, node: nodeId(node) }) as MemberChange
      const change: ConfigurationChange = words[0]?.includes(':')
        ? { type: 'several', changes: words.map((word) => single(word.split(':'))) }
        : single(words)
      this.#node(id).step({ type: 'change', ref: this.#cluster.ref(), change })
    },
    read: ([id = '']) => {
      this.#node(id).step({ type: 'read', ref: this.#cluster.ref(), now: this.#node(id).now })
    },
    transfer: ([id = '', to = '']) => {
      this.#node(id).step({ type: 'transfer', to: nodeId(to) })
    },
    /** The process of `peer` is proved dead to the node. */
    proof: ([id = '', peer = '']) => {
      this.#node(id).step({ type: 'peerDead', peer: nodeId(peer) })
    },
    linkup: ([a = '', b = '']) => this.#link('linkUp', a, b),
    linkdown: ([a = '', b = '']) => this.#link('linkDown', a, b),
    recover: ([id = '', lineage = '']) => {
      this.#node(id).step({ type: 'recover', lineage: lineage as LineageId })
    },
    goalone: ([id = '', peer = '', lineage = '']) => {
      this.#node(id).step({ type: 'goAlone', peer: nodeId(peer), lineage: lineage as LineageId })
    },
    sync: (ids) => {
      for (const node of this.#nodes(ids)) while (node.sync());
    },
    /** The disk finishes the oldest write only. */
    write: ([id = '']) => {
      this.#node(id).sync()
    },
    /** Delivers what is on its way, or what is from one node to another, once. */
    deliver: ([from, to]) => {
      for (const letter of this.#take(from, to)) this.#deliver(letter)
    },
    drop: ([from, to]) => {
      this.#lines.push(`${this.#take(from, to).length} dropped`)
    },
    partition: (args) => {
      this.#sides.clear()
      let side = 1
      for (const arg of args) {
        if (arg === '|') side++
        else this.#sides.set(arg, side)
      }
    },
    heal: () => this.#sides.clear(),
    crash: (ids) => {
      for (const id of ids) {
        this.#node(id).crash()
        this.#cluster.letters = this.#cluster.letters.filter(({ from, to }) => from !== id && to !== id)
      }
    },
    /** The processes die: the links to the others close. */
    kill: (ids) => {
      for (const id of ids) this.#verbs['crash']?.([id])
      for (const id of ids)
        for (const other of this.#cluster.nodes.keys()) if (other !== id) this.#link('linkDown', id, other)
    },
    /** A crash when the hard state of the oldest write was durable, and its entries were not. */
    tear: ([id = '']) => {
      const node = this.#node(id)
      const [write] = node.writes
      const from = write?.truncateFrom ?? null
      if (from !== null) node.disk.entries = node.disk.entries.filter((entry) => entry.index < from)
      node.disk.hardState = write?.hardState ?? node.disk.hardState
      this.#verbs['crash']?.([id])
    },
    /** The links of all that run come up. */
    links: () => {
      const ids = [...this.#cluster.nodes.values()].filter((node) => node.machine).map((node) => node.id)
      for (const a of ids) for (const b of ids) if (a < b) this.#link('linkUp', a, b)
    },
    restart: (ids) => {
      for (const id of ids) this.#node(id).start()
    },
    /** Delivers and writes until nothing is left to do; no time passes. */
    stabilize: () => {
      for (let i = 0; i < 1000; i++) {
        const letters = this.#take()
        for (const letter of letters) this.#deliver(letter)
        let wrote = false
        for (const node of this.#cluster.nodes.values()) while (node.sync()) wrote = true
        if (letters.length === 0 && !wrote) return
      }
      throw new Error('it does not come to rest')
    },
    compact: ([id = '', keep = '0']) => this.#node(id).compact(Number(keep)),
    /** Carries the newest snapshot from one node to another. */
    stream: ([from = '', to = '']) => {
      const snapshot = this.#node(from).disk.snapshot
      if (snapshot === null) throw new Error(`${from} has no snapshot`)
      const ref = this.#cluster.ref()
      const target = this.#node(to)
      target.received.set(ref, snapshot)
      const { term } = this.#node(from).raft.view()
      target.step({ type: 'snapshotReceived', ref, from: nodeId(from), term, meta: snapshot.meta })
      this.#node(from).step({ type: 'snapshotSent', to: target.id, index: snapshot.meta.index, ok: true })
    },
    status: () => {
      for (const { id, machine } of this.#cluster.nodes.values()) {
        if (machine === null) {
          this.#lines.push(`${id} down`)
          continue
        }
        const view = machine.view()
        const log = `log ${view.firstIndex}-${view.lastIndex} commit ${view.commitIndex}`
        this.#lines.push(`${id} ${view.role} term ${view.term} leader ${view.leader ?? '-'} ${log}`)
      }
    },
    log: (ids) => {
      for (const node of this.#nodes(ids)) {
        const entries = node.disk.entries.map(
          (entry) => `${entry.index}@${entry.term} ${describeEntry(entry)}`,
        )
        this.#lines.push(`${node.id} [${entries.join(', ')}]`)
      }
    },
    state: (ids) => {
      for (const node of this.#nodes(ids)) this.#lines.push(`${node.id} ${node.state.join(', ')}`)
    },
  }

  #node(id: string): TestNode {
    return this.#cluster.node(id)
  }

  #nodes(ids: readonly string[]): readonly TestNode[] {
    return ids.length > 0 ? ids.map((id) => this.#node(id)) : [...this.#cluster.nodes.values()]
  }

  #link(type: 'linkUp' | 'linkDown', a: string, b: string): void {
    for (const [id, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      const node = this.#node(id)
      if (node.machine !== null) node.step({ type, peer: nodeId(peer) })
    }
    if (type === 'linkUp') return
    this.#cluster.letters = this.#cluster.letters.filter(
      ({ from, to }) => !((from === a && to === b) || (from === b && to === a)),
    )
  }

  #take(from?: string, to?: string): Letter[] {
    const fits = (letter: Letter): boolean =>
      (from === undefined || letter.from === from) && (to === undefined || letter.to === to)
    const taken = this.#cluster.letters.filter(fits)
    this.#cluster.letters = this.#cluster.letters.filter((letter) => !fits(letter))
    return taken
  }

  #deliver(letter: Letter): void {
    const { from, to } = letter
    if (this.#sides.size > 0 && this.#sides.get(from) !== this.#sides.get(to)) return
    this.#cluster.deliver(letter)
  }

  #record(node: TestNode, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (!this.#trace && (effect.type === 'send' || effect.type === 'persist')) continue
      const line = describeEffect(effect)
      if (line !== null) this.#lines.push(`${node.id}: ${line}`)
    }
  }
}
