import { distributionSuite } from './distribution-suite.ts'
import { locksSuite } from './locks-suite.ts'
import { objectsSuite } from './objects-suite.ts'
import type { SeedReport, SuiteName } from './report.ts'
import { type RunOptions, runSeed } from './run.ts'
import { serializerSuite } from './serializer-suite.ts'

/** Plays one seed of a suite. */
export function playSeed(suite: SuiteName, seed: number, options: RunOptions = {}): Promise<SeedReport> {
  switch (suite) {
    case 'serializer':
      return runSeed(serializerSuite, seed, options)
    case 'distribution':
      return runSeed(distributionSuite, seed, options)
    case 'objects':
      return runSeed(objectsSuite, seed, options)
    case 'locks':
      return runSeed(locksSuite, seed, options)
  }
}
