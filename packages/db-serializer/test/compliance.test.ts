import { orderedLogSuite } from '@cluster/testkit'
import { describe, expect, test } from '@jest/globals'
import { suiteWorld } from './support/suite-world.ts'

orderedLogSuite({ describe, test, expect }, async () => suiteWorld())
