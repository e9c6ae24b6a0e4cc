import type { CallOptions, PartitionId, ProgramOutcome, Version } from '@cluster/core'
import { resultGone, versionGone } from '../../errors.ts'
import { decodeOutcome } from '../../machine/program/codec.ts'
import type { DatabaseRecord } from '../../machine/state.ts'
import type { Context } from '../context.ts'
import { type Reader, ReadTry } from '../read/reader.ts'
import { RemoteAsks } from '../read/remote-asks.ts'
import type { Replicas } from '../replica/replicas.ts'
import { decodeOutcomes, encodeGetOutcomes, type OutcomeRequest } from '../wire.ts'

/** Learns what came of programs: from the replica here, or from whoever holds the partition. */
export class OutcomeReader {
  readonly #context: Context
  readonly #replicas: Replicas
  readonly #reader: Reader
  readonly #asks: RemoteAsks<number, OutcomeRequest, Uint8Array | null>

  constructor(context: Context, replicas: Replicas, reader: Reader) {
    this.#context = context
    this.#replicas = replicas
    this.#reader = reader
    this.#asks = new RemoteAsks(context, {
      nameOf: String,
      encode: encodeGetOutcomes,
      decode: decodeOutcomes,
    })
  }

  /**
   * What came of the program that the log applied at `version`.
   * @throws DB_RESULT_GONE when nobody who ran it, or has a copy of the partition, can tell any more
   */
  async get(
    database: DatabaseRecord,
    partition: PartitionId,
    version: Version,
    options: CallOptions,
  ): Promise<ProgramOutcome> {
    const here = this.#replicas.get(database.id, partition)?.outcome(version) ?? null
    if (here !== null) return decodeOutcome(here)
    try {
      return decodeOutcome(await this.#ask(database, partition, version, options))
    } catch (error) {
      throw resultGone(database.name, version, error)
    }
  }

  async #ask(
    database: DatabaseRecord,
    partition: PartitionId,
    version: Version,
    options: CallOptions,
  ): Promise<Uint8Array> {
    const reading = new ReadTry(this.#context, options)
    for (;;) {
      const holder = await this.#reader.holder(database, partition, version, reading)
      try {
        const bytes =
          holder === this.#context.self
            ? (this.#replicas.get(database.id, partition)?.outcome(version) ?? null)
            : await this.#asks.ask(holder, database.id, { partition, version })
        if (bytes !== null) return bytes
        // Another holder may still have it.
        throw versionGone(database.name, version)
      } catch (error) {
        this.#reader.failed(reading, holder, error)
      }
    }
  }
}
