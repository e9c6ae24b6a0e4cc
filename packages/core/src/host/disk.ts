import type { ErrorDetail } from '../errors.ts'

/**
 * One folder of a disk, injected. Paths are relative, with `/` between names. Every promise may reject with
 * a `ClusterError<DiskErrorDetail>`; a node whose disk rejects anything but `DISK_FULL` stops.
 */
export interface Disk {
  /** Names of all files below this folder, sorted; empty when the folder does not exist. */
  list(): Promise<readonly string[]>
  /** The whole file, or null when there is none. */
  read(path: string): Promise<Uint8Array | null>
  /** Writes the whole file, durably and all or nothing: afterwards, or after a crash, it is the old or the new one. */
  replace(path: string, content: Uint8Array): Promise<void>
  /** Opens for appending; made (durably, name included) when there is none. */
  open(path: string): Promise<DiskFile>
  /** Gives a file another name, durably and all or nothing; a file that had this name before is gone then. */
  rename(path: string, to: string): Promise<void>
  /** Removes the file, durably; nothing happens when there is none. */
  remove(path: string): Promise<void>
  /** The folder `path` below this one. */
  folder(path: string): Disk
}

/** A file open for appending. One writer; calls are queued in order. */
export interface DiskFile {
  /** Bytes in the file, the ones not yet synced included. */
  size(): number
  /** Appends the chunks one after another. Not durable before `sync` resolved. */
  append(chunks: readonly Uint8Array[]): Promise<void>
  /**
   * Overwrites bytes that are there: `offset + bytes.length` is at most `size()`. Not durable before `sync` resolved; a
   * crash before that leaves the old bytes, the new ones, or any mixture of both.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Makes everything appended and overwritten before the call durable (fdatasync). */
  sync(): Promise<void>
  /** Reads `length` bytes at `offset`; shorter only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** Cuts the file to `size` bytes, durably. */
  truncate(size: number): Promise<void>
  close(): Promise<void>
}

export type DiskErrorDetail =
  | ({ readonly code: 'DISK_FULL' | 'DISK_FAILED' | 'DISK_DENIED'; readonly path: string } & ErrorDetail)
  /** A checksum or format did not hold: the file is damaged. */
  | ({ readonly code: 'DISK_DAMAGED'; readonly path: string; readonly offset: number } & ErrorDetail)
  /** The file was written by a format version that this program does not read. */
  | ({
      readonly code: 'DISK_FORMAT'
      readonly path: string
      readonly found: number
      readonly supported: number
    } & ErrorDetail)
