import type { SuiteRunner } from './runner.ts'
import { copyTests } from './storage/copies.ts'
import { durabilityTests } from './storage/durability.ts'
import type { CreateStorage } from './storage/fixture.ts'
import { storageRandomSuite } from './storage/random.ts'
import { scanTests } from './storage/scans.ts'
import { versionTests } from './storage/versions.ts'

export type { StorageFixture } from './storage/fixture.ts'
export { storageRandomSuite }

/**
 * The compliance suite of `StorageEngine`: every engine passes it.
 * @param create a fresh engine on a fresh disk, for each call
 */
export function storageSuite(runner: SuiteRunner, create: CreateStorage): void {
  runner.describe('StorageEngine', () => {
    versionTests(runner, create)
    scanTests(runner, create)
    durabilityTests(runner, create)
    copyTests(runner, create)
    storageRandomSuite(runner, create)
  })
}
