export { type LmdbStorageOptions, type LmdbStoragePorts, lmdbStorage } from './driver/lmdb-storage.ts'
