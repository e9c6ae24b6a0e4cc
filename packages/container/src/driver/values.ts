import type { ContainerCodec, StandardSchema } from '@cluster/core'
import { Encoder } from 'cbor-x'
import { optionInvalid, tooMany, valueInvalid } from '../errors.ts'
import type { Stored } from '../machine/stored.ts'

const cbor = new Encoder({
  useRecords: false,
  mapsAsObjects: true,
  tagUint8Array: true,
  copyBuffers: true,
  structuredClone: false,
})

/** Values as CBOR. */
const plain: ContainerCodec<unknown> = {
  encode: (value) => new Uint8Array(cbor.encode(value)),
  decode: (bytes) => cbor.decode(bytes),
}

/** How the values of one container are validated, written and read. */
export class Values<V> {
  readonly #container: string
  readonly #codec: ContainerCodec<V>
  readonly #schema: StandardSchema<V> | undefined
  readonly #bytesMax: number

  constructor(
    container: string,
    { codec, schema }: { readonly codec?: ContainerCodec<V>; readonly schema?: StandardSchema<V> },
    bytesMax: number,
  ) {
    this.#container = container
    // What was written as a value of this type is one when it is read.
    this.#codec = codec ?? (plain as ContainerCodec<V>)
    this.#schema = schema
    this.#bytesMax = bytesMax
  }

  /** At once where there is no schema. @throws CONTAINER_VALUE_INVALID, CONTAINER_OPTION_INVALID, CONTAINER_LIMIT */
  encode(value: V): Uint8Array | Promise<Uint8Array> {
    return this.#schema === undefined ? this.encodeNow(value) : this.#validated(this.#schema, value)
  }

  async #validated(schema: StandardSchema<V>, value: V): Promise<Uint8Array> {
    const result = await schema['~standard'].validate(value)
    if (result.issues)
      throw valueInvalid(
        this.#container,
        result.issues.map(({ message }) => message),
      )
    return this.encodeNow(result.value)
  }

  /** Without asking the schema. */
  encodeNow(value: V): Uint8Array {
    if (value === undefined) throw optionInvalid('value', value, 'something: undefined stands for nothing')
    const bytes = this.#codec.encode(value)
    if (bytes.length > this.#bytesMax) throw tooMany('valueBytes', this.#bytesMax)
    return bytes
  }

  decode(stored: Stored): V {
    // Counts are kept as they are, in containers whose values are counts.
    return typeof stored === 'number' ? (stored as V) : this.#codec.decode(stored)
  }
}
