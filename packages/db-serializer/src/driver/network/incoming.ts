import type { Logger, NodeId } from '@cluster/core'
import type { Barriers } from '../commands/barriers.ts'
import type { Commands } from '../commands/commands.ts'
import type { Contact } from '../group/contact.ts'
import type { Forks } from '../group/forks.ts'
import type { GoingAlone } from '../group/going-alone.ts'
import type { Members } from '../group/members.ts'
import type { Runner } from '../run/runner.ts'
import { readFrame } from './frames.ts'
import type { Frame } from './wire.ts'

export interface IncomingPorts {
  readonly logger: Logger
  readonly commands: Commands
  readonly barriers: Barriers
  readonly members: Members
  readonly contact: Contact
  readonly forks: Forks
  readonly goingAlone: GoingAlone
  /** Null while the log does not run or starts over. */
  runner(): Runner | null
  notify(to: NodeId, frame: Frame): void
}

/** Where each frame of another node goes. */
export class Incoming {
  readonly #ports: IncomingPorts

  constructor(ports: IncomingPorts) {
    this.#ports = ports
  }

  deliver(from: NodeId, bytes: Uint8Array): void {
    const { logger, commands, barriers, members, contact, forks, goingAlone, runner, notify } = this.#ports
    const frame = readFrame(from, bytes, logger)
    switch (frame?.type) {
      case 'raft':
        runner()?.message(from, frame.message)
        return
      case 'forward':
        if (forks.error === null) commands.take(from, frame.envelopes)
        return
      case 'ask':
        runner()?.read((index) => notify(from, { type: 'answer', ask: frame.ask, index }))
        return
      case 'answer':
        barriers.answer(frame.ask, frame.index)
        return
      case 'hello':
        if (frame.hello.status === 'fresh' && frame.hello.renounced) {
          members.renounced(from, frame.hello.renounced)
          goingAlone.onProof()
        }
        forks.hello(from, frame.hello)
        contact.hello(from, frame.hello)
        return
    }
  }
}
