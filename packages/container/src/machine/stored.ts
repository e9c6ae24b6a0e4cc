/** What is stored: an encoded value, or a count. */
export type Stored = Uint8Array | number
