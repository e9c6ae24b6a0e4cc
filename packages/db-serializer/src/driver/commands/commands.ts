import type { Clock, Logger, NodeId } from '@cluster/core'
import { isEnvelope, ownerOfOpen } from '../../machine/commands/envelope.ts'
import type { Frame } from '../network/wire.ts'
import type { Runner } from '../run/runner.ts'

export interface CommandsPorts {
  readonly self: NodeId
  readonly clock: Clock
  readonly logger: Logger
  runner(): Runner | null
  /** As far as this node knows. */
  leader(): NodeId | null
  notify(to: NodeId, frame: Frame): boolean
}

/** Bytes of commands in one frame to the leader; a single larger one travels alone. */
const FORWARD_BYTES = 256 * 1024

/** The way of commands into the log: through this node when it leads, else through the leader. */
export class Commands {
  readonly #ports: CommandsPorts

  constructor(ports: CommandsPorts) {
    this.#ports = ports
  }

  /** False: nothing was sent, and nothing will come of it. */
  send(envelopes: readonly Uint8Array[]): boolean {
    const leader = this.#ports.leader()
    if (leader === null) return false
    if (leader === this.#ports.self) return this.propose(envelopes)
    let sent = false
    for (let at = 0; at < envelopes.length; ) {
      const end = endOfPart(envelopes, at)
      const part = { type: 'forward' as const, envelopes: envelopes.slice(at, end) }
      // A part that stays behind counts as sent: it is sent again when no answer comes.
      if (!this.#ports.notify(leader, part)) return sent
      sent = true
      at = end
    }
    return sent
  }

  /** Takes what another node wants in the log. */
  take(from: NodeId, envelopes: readonly Uint8Array[]): void {
    const sound = envelopes.every((envelope) => {
      if (!isEnvelope(envelope)) return false
      const owner = ownerOfOpen(envelope)
      return owner === null || owner === from
    })
    if (!sound) {
      this.#ports.logger.log('warn', 'commands ignored', { from, why: 'not in the format of this version' })
      return
    }
    // When this node does not lead (any more), they are lost here; the sender sends them to the next leader.
    this.propose(envelopes, from)
  }

  /** @param from whose they are, if not this node's */
  propose(envelopes: readonly Uint8Array[], from?: NodeId): boolean {
    const { clock } = this.#ports
    return this.#ports.runner()?.propose(clock.now(), clock.wall(), envelopes, from) ?? false
  }
}

function endOfPart(envelopes: readonly Uint8Array[], at: number): number {
  let end = at
  for (let bytes = 0; end < envelopes.length; end++) {
    bytes += envelopes[end]?.length ?? 0
    if (bytes > FORWARD_BYTES && end > at) break
  }
  return end
}
