/** One connection as bytes, whatever carries it. */
export interface ByteStream {
  /** Who is at the other end, for the log. */
  readonly remote: string
  /** The address of the other end, without its port. */
  readonly address: string
  /** The other end is a process of this very machine. */
  readonly local: boolean
  /** Chunks as they come, until the client has said all. Not read ahead of what is asked for. */
  readonly incoming: AsyncIterator<Uint8Array>
  /** Aborted once the connection is gone. */
  readonly gone: AbortSignal
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>
  readonly encrypted: boolean
  /** The hash of the certificate that was shown, to which logins may be bound; null without one. */
  readonly endPoint: Uint8Array | null
  /** Goes on encrypted from here; null when that is not set up, or is so already. */
  readonly encrypt: (() => Promise<ByteStream>) | null
  /** Sends what was written, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}
