export { type MemoryStoragePorts, memoryStorage } from './driver/memory-storage.ts'
