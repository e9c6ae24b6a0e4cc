export interface PgwireOptions {
  /** Connections at once; more are refused (53300). Default 500. */
  readonly connectionsMax?: number
  /** Largest message of a client. Default 64 MiB. */
  readonly messageBytesMax?: number
  /** What a suspended portal may keep in memory while other statements run. Default 64 MiB. */
  readonly portalBytesMax?: number
  /** A client must have logged in after so many milliseconds. Default 30,000. */
  readonly loginMs?: number
  /** Clients of one address that have not logged in yet; more are turned away (53300). Default 32. */
  readonly loginsMax?: number
}

export type ResolvedOptions = Required<PgwireOptions>

export function resolveOptions(options: PgwireOptions): ResolvedOptions {
  return {
    connectionsMax: options.connectionsMax ?? 500,
    messageBytesMax: options.messageBytesMax ?? 64 * 1024 * 1024,
    portalBytesMax: options.portalBytesMax ?? 64 * 1024 * 1024,
    loginMs: options.loginMs ?? 30_000,
    loginsMax: options.loginsMax ?? 32,
  }
}
