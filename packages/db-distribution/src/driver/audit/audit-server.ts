import type { ChannelHandlers, Key } from '@cluster/core'
import { isVersionGone, versionGone } from '../../errors.ts'
import type { Context } from '../context.ts'
import { storeAt } from '../read/serving.ts'
import type { Replicas } from '../replica/replicas.ts'
import {
  type AuditRequest,
  decodeRequest,
  encodeDigests,
  type MendRequest,
  type Named,
} from './audit-wire.ts'
import { Digester } from './digester.ts'

/** Tells others, and this node, what copies here hold; makes one anew when they have agreed that it is wrong. */
export class AuditServer {
  readonly #context: Context
  readonly #replicas: Replicas

  constructor(context: Context, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
  }

  handlers(): ChannelHandlers {
    return {
      request: async (_peer, frame, signal) => {
        const request = decodeRequest(frame)
        if (request.type === 'audit') return encodeDigests(await this.digest(request.audit, signal))
        return Uint8Array.of(this.mend(request.mend) ? 1 : 0)
      },
    }
  }

  /** @throws DB_UNAVAILABLE, DB_VERSION_GONE, DISK_DAMAGED */
  async digest(request: AuditRequest, signal?: AbortSignal): Promise<Named<number | Key>[]> {
    const store = await storeAt(this.#context, this.#replicas, request, signal)
    try {
      return await new Digester(this.#context.ports.clock, store).digest(request)
    } catch (error) {
      throw isVersionGone(error) ? versionGone(String(request.database), request.version) : error
    }
  }

  /** False when it is another copy by now, or the only one. */
  mend({ database, partition, since }: MendRequest): boolean {
    return this.#replicas.mend(database, partition, since)
  }
}
