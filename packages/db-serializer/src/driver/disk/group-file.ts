import { ClusterError, crc32c, type Disk, type NodeId } from '@cluster/core'

const PATH = 'first-contact'
const VERSION = 1
/** Clusters remembered as given up; the oldest go first. */
const TOMBSTONES_MAX = 32

const encoder = new TextEncoder()
const decoder = new TextDecoder()

interface Content {
  readonly promise: NodeId | null
  readonly tombstones: readonly string[]
}

const NOTHING: Content = { promise: null, tombstones: [] }

/** What first contact must not forget: the promise of a fresh node, and the clusters that were given up. */
export class GroupFile {
  readonly #disk: Disk
  #content: Content

  private constructor(disk: Disk, content: Content) {
    this.#disk = disk
    this.#content = content
  }

  /** @throws LOG_DAMAGED */
  static async open(disk: Disk): Promise<GroupFile> {
    const bytes = await disk.read(PATH)
    return new GroupFile(disk, bytes === null ? NOTHING : parse(bytes))
  }

  /** Instead of a damaged file, for a node that is in a group: promises are over then, and others know who is buried. */
  static async renew(disk: Disk): Promise<GroupFile> {
    const file = new GroupFile(disk, NOTHING)
    await file.#write(NOTHING)
    return file
  }

  get promise(): NodeId | null {
    return this.#content.promise
  }

  get tombstones(): readonly string[] {
    return this.#content.tombstones
  }

  async setPromise(promise: NodeId | null): Promise<void> {
    await this.#write({ ...this.#content, promise })
  }

  /** Remembers a cluster that was given up, and forgets the promise: the node is fresh again. */
  async bury(cluster: string): Promise<void> {
    const others = this.#content.tombstones.filter((each) => each !== cluster)
    await this.#write({ promise: null, tombstones: [...others, cluster].slice(-TOMBSTONES_MAX) })
  }

  async #write(content: Content): Promise<void> {
    const body = JSON.stringify({ version: VERSION, ...content })
    await this.#disk.replace(PATH, encoder.encode(`${crc32c(encoder.encode(body))}\n${body}\n`))
    this.#content = content
  }
}

function parse(bytes: Uint8Array): Content {
  const [checksum, body = ''] = decoder.decode(bytes).split('\n')
  if (String(crc32c(encoder.encode(body))) !== checksum) {
    throw new ClusterError(
      { code: 'LOG_DAMAGED', outcome: 'rejected', path: PATH, offset: 0 },
      `The file ${PATH} is damaged: its checksum does not hold. If this node belongs to no group yet, remove the file; else restore the folder or start with an empty one.`,
    )
  }
  const { version, promise, tombstones } = JSON.parse(body) as Content & { version: number }
  if (version !== VERSION) {
    throw new ClusterError(
      { code: 'DISK_FORMAT', outcome: 'rejected', path: PATH, found: version, supported: VERSION },
      `The file ${PATH} has format ${version}; this program reads ${VERSION}. Use the newer program.`,
    )
  }
  return { promise, tombstones }
}
